import { endpointText, parseAddress, parseEndpoint } from '../../base/index.ts';

export interface DnsServer {
  readonly ip: string;
  readonly port: number;
}

/** What resolv.conf(5) says, as far as it concerns whole names: search lists do not. */
export interface ResolvConf {
  readonly servers: readonly DnsServer[];
  /** For one answer of one server. */
  readonly timeoutMillis: number;
  /** Rounds over all servers. */
  readonly attempts: number;
}

const DNS_PORT = 53;
/** Limits and defaults of the C library. */
const TIMEOUT = { usual: 5, most: 30 };
const ATTEMPTS = { usual: 2, most: 5 };

/**
 * @param text a file as resolv.conf(5) describes it; lines that mean nothing to us are passed over. Beyond the manual a
 *   server may have a port: `nameserver 127.0.0.1:5353`, `nameserver [::1]:5353`
 * @returns a server on this machine when no line names one, as the C library does
 */
export function resolvConf(text: string): ResolvConf {
  const servers = new Map<string, DnsServer>();
  let timeout = TIMEOUT.usual;
  let attempts = ATTEMPTS.usual;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/s, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver') {
      const server = parseServer(values[0] ?? '');
      if (server) servers.set(endpointText({ kind: 'tcp', ...server }), server);
    }
    if (keyword !== 'options') continue;
    for (const option of values) {
      const [, name, digits] = /^(timeout|attempts):([0-9]{1,9})$/.exec(option) ?? [];
      if (name === 'timeout') timeout = Math.min(Math.max(Number(digits), 1), TIMEOUT.most);
      if (name === 'attempts') attempts = Math.min(Math.max(Number(digits), 1), ATTEMPTS.most);
    }
  }
  if (servers.size === 0) servers.set('', { ip: '127.0.0.1', port: DNS_PORT });
  return { servers: [...servers.values()], timeoutMillis: timeout * 1000, attempts };
}

function parseServer(text: string): DnsServer | undefined {
  const ip = parseAddress(text);
  if (ip !== undefined) return { ip, port: DNS_PORT };
  const endpoint = parseEndpoint(text);
  return endpoint.kind === 'tcp' && endpoint.ip !== '0.0.0.0' ? { ip: endpoint.ip, port: endpoint.port } : undefined;
}
