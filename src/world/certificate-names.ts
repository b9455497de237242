import { literalAddress, parseAddress, parseDomain } from '../base/index.ts';
import type { PeerCertificate } from './tls.ts';

/**
 * Whether a certificate holds for any of these hosts: its alternative names, or its common name (manual: tls_verify). A
 * `*` stands for the whole first label and nothing else (RFC 6125 §6.4.3); Unicode names are compared as A-labels.
 *
 * @param hosts  host names, or addresses, which only an alternative name of that kind can match
 */
export function holdsFor(certificate: PeerCertificate, hosts: readonly string[]): boolean {
  return hosts.some((host) => matches(certificate, host));
}

function matches({ names, addresses, commonName }: PeerCertificate, host: string): boolean {
  const domain = parseDomain(host);
  if (domain === undefined) return false;
  const address = literalAddress(domain);
  if (address !== undefined) return addresses.some((each) => parseAddress(each) === address);
  const dot = domain.indexOf('.');
  const rest = dot === -1 ? '' : domain.slice(dot + 1);
  return [...names, commonName].some((name) => {
    if (!name.startsWith('*.')) return parseDomain(name) === domain;
    // A star over a whole top-level domain is nobody's to have.
    return rest.includes('.') && parseDomain(name.slice(2)) === rest;
  });
}
