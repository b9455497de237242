/** IP addresses as text and as bytes. Text is canonical everywhere behind the parser, so addresses compare with `===`. */

/**
 * @param text IPv4 as four decimal octets, or IPv6 in any form of RFC 4291 §2.2, with or without a zone; no brackets
 * @returns canonical text, undefined when it is no address. IPv6 follows RFC 5952, but for an embedded dotted quad,
 *   which becomes hexadecimal like every other group; a zone (`%eth0`) is kept as written
 */
export function parseAddress(text: string): string | undefined {
  if (text.indexOf(':') === -1) {
    const bytes = ipv4Bytes(text);
    return bytes && addressText(bytes);
  }
  const percent = text.indexOf('%');
  const bytes = ipv6Bytes(percent === -1 ? text : text.slice(0, percent));
  if (!bytes) return undefined;
  if (percent === -1) return addressText(bytes);
  const zone = text.slice(percent + 1);
  return ZONE.test(zone) ? `${addressText(bytes)}%${zone}` : undefined;
}

/** @param ip an address as `parseAddress` or the system gives it */
export function family(ip: string): 4 | 6 {
  return ip.indexOf(':') === -1 ? 4 : 6;
}

/**
 * @param ip an address; a zone is left out
 * @returns 4 or 16 bytes in network order
 * @throws TypeError when it is no address: parse what comes from outside first
 */
export function addressBytes(ip: string): Uint8Array {
  const percent = ip.indexOf('%');
  const plain = percent === -1 ? ip : ip.slice(0, percent);
  const bytes = family(plain) === 4 ? ipv4Bytes(plain) : ipv6Bytes(plain);
  if (!bytes) throw new TypeError(`not an IP address: ${ip}`);
  return bytes;
}

/** @param bytes 4 or 16 of them @returns canonical text */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((at16(bytes, at) << 8) | at16(bytes, at + 1));
  const gap = longestZeros(groups);
  if (!gap) return groups.map(hex).join(':');
  return `${groups.slice(0, gap.from).map(hex).join(':')}::${groups.slice(gap.to).map(hex).join(':')}`;
}

/** An IPv4 client of an IPv6 socket shows as `::ffff:192.0.2.1`. @returns the IPv4 address then, else `ip` itself */
export function unmapped(ip: string): string {
  if (!/^[0:]+ffff:/i.test(ip)) return ip;
  const bytes = ipv6Bytes(ip);
  return bytes && isMapped(bytes) ? addressText(bytes.subarray(12)) : ip;
}

/** @param bytes 16 of them @returns whether they are an IPv4-mapped address, RFC 4291 §2.5.5.2 */
export function isMapped(bytes: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

const ZONE = /^[A-Za-z0-9._~-]{1,32}$/;
// A leading zero is refused: some read 010 as eight, and an access list must not depend on who reads it.
const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

const at16 = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const hex = (group: number): string => group.toString(16);

function ipv4Bytes(text: string): Uint8Array | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 4; index++) {
    const octet = octets[index] ?? '';
    if (!OCTET.test(octet) || Number(octet) > 255) return undefined;
    bytes[index] = Number(octet);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const double = text.indexOf('::');
  if (double === -1) {
    const bytes = groupBytes(text, true);
    return bytes?.length === 16 ? Uint8Array.from(bytes) : undefined;
  }
  // A second `::` leaves an empty group in the tail, which groupBytes refuses.
  const head = groupBytes(text.slice(0, double), false);
  const tail = groupBytes(text.slice(double + 2), true);
  // RFC 4291 §2.2: `::` stands for one or more groups.
  if (!head || !tail || head.length + tail.length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function groupBytes(text: string, last: boolean): number[] | undefined {
  const bytes: number[] = [];
  if (text === '') return bytes;
  const groups = text.split(':');
  for (let index = 0; index < groups.length; index++) {
    const group = groups[index] ?? '';
    if (GROUP.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const quad = last && index === groups.length - 1 ? ipv4Bytes(group) : undefined;
    if (!quad) return undefined;
    bytes.push(...quad);
  }
  return bytes;
}

function longestZeros(groups: readonly number[]): { from: number; to: number } | undefined {
  let best: { from: number; to: number } | undefined;
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (to < groups.length && groups[to] === 0) to++;
    // RFC 5952 §4.2.2: a single zero group is not shortened; §4.2.3: the first of equal runs is.
    if (to - from >= 2 && (!best || to - from > best.to - best.from)) best = { from, to };
    if (to > from) from = to;
  }
  return best;
}
