import { family, parseAddress, parseDomain } from '../../base/index.ts';

/** Addresses by name, in the order of the file. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** @param text a file as hosts(5) describes it; lines that are none are passed over */
export function hostsFile(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*$/s, '').trim().split(/\s+/);
    const ip = parseAddress(address);
    if (ip === undefined) continue;
    for (const name of names) {
      const domain = parseDomain(name);
      if (domain === undefined) continue;
      const known = hosts.get(domain);
      if (!known) hosts.set(domain, [ip]);
      else if (!known.includes(ip)) known.push(ip);
    }
  }
  return hosts;
}

/**
 * Addresses that need no server: from the hosts file, and `localhost` in any case (RFC 6761 §6.3).
 *
 * @returns undefined when servers are to be asked; an empty list when the name has no address of that family
 */
export function localAddresses(hosts: Hosts, name: string, type: 'A' | 'AAAA'): readonly string[] | undefined {
  const version = type === 'A' ? 4 : 6;
  const listed = hosts.get(name);
  if (listed) return listed.filter((ip) => family(ip) === version);
  return isLocalhost(name) ? [version === 4 ? '127.0.0.1' : '::1'] : undefined;
}

export function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** Top-level domains that never exist in the public tree: RFC 6761 §6.4, RFC 7686 §2. They are not asked for. */
export function isNowhere(name: string): boolean {
  return /(?:^|\.)(?:invalid|onion)$/.test(name);
}
