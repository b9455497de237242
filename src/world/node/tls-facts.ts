import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsFacts, TlsProtocol } from '../tls.ts';
import { cipherBits } from '../tls-cipher.ts';

/** What is to be said of a handshake that has just ended well. */
export function factsOf(socket: TLSSocket): TlsFacts {
  const { name } = socket.getCipher();
  // Only a client's socket has its name as it was given; a server's has false when the client named nobody.
  const asked = (socket as TLSSocket & { readonly servername?: string | false | null }).servername;
  const certificate = socket.getPeerX509Certificate();
  return {
    protocol: (socket.getProtocol() ?? 'TLSv1.2') as TlsProtocol,
    cipher: { name, ...cipherBits(name) },
    serverName: typeof asked === 'string' && asked !== '' ? asked : undefined,
    peer: certificate === undefined ? undefined : describe(certificate, distrustOf(socket)),
  };
}

function distrustOf(socket: TLSSocket): string | undefined {
  if (socket.authorized) return undefined;
  // Declared as an Error, and a code in fact.
  return String(socket.authorizationError ?? 'UNVERIFIED');
}

export function describe(certificate: X509Certificate, distrust: string | undefined): PeerCertificate {
  const names: string[] = [];
  const addresses: string[] = [];
  for (const each of alternatives(certificate.subjectAltName ?? '')) {
    if (each.startsWith('DNS:')) names.push(each.slice(4));
    if (each.startsWith('IP Address:')) addresses.push(each.slice(11));
  }
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    commonName: commonName(certificate.subject),
    issuerCommonName: commonName(certificate.issuer),
    names,
    addresses,
    der: certificate.raw,
    distrust,
  };
}

/** Node quotes names with odd characters as JSON does, so that none can pass for two (CVE-2021-44532). They match nothing. */
function alternatives(text: string): readonly string[] {
  return text.split(', ').filter((each) => !each.includes('"'));
}

/** From one `KEY=value` a line, controls escaped, to `/KEY=value/KEY=value`. */
const oneLine = (lines: string | undefined): string =>
  (lines ?? '') === '' ? '' : `/${(lines ?? '').replaceAll('\n', '/')}`;

/** The last one counts, as it is the most specific. */
function commonName(lines: string | undefined): string {
  const found = (lines ?? '').split('\n').filter((line) => line.startsWith('CN='));
  return found.at(-1)?.slice(3) ?? '';
}
