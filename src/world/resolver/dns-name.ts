import { addressBytes, family, parseDomain } from '../../base/index.ts';
import type { Chance } from '../world.ts';

/**
 * @param text a name to be asked for: any printable ASCII in its labels (classless reverse zones have slashes), or
 *   Unicode labels, which become A-labels
 * @returns lower case, without the trailing dot; undefined when no such name can exist
 */
export function dnsName(text: string): string | undefined {
  if (!PRINTABLE.test(text)) return parseDomain(text);
  const bare = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (bare.length === 0 || bare.length > 253) return undefined;
  return bare.split('.').every((label) => label.length >= 1 && label.length <= 63) ? bare : undefined;
}

// No backslash: the codec knows no escapes, and a name that needs them is nobody's mail host.
const PRINTABLE = /^[!-[\]-~]+$/;

/**
 * A name from an answer. Labels may hold any byte, and what we return is written to logs and compared: bytes that no
 * host name has become `?`.
 */
export function receivedName(name: string): string {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare.replace(/[^!-~]/g, '?').toLowerCase();
}

/** @returns the name under which the PTR records of an address stand */
export function reverseName(ip: string): string {
  const bytes = addressBytes(ip);
  if (family(ip) === 4) return `${[...bytes].reverse().join('.')}.in-addr.arpa`;
  const digits = Buffer.from(bytes).toString('hex');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

/**
 * Upper and lower case by chance, which servers repeat and forgers must guess
 * (draft-vixie-dnsext-dns0x20): one more bit for each letter.
 */
export function mixedCase(name: string, chance: Chance): string {
  const bits = chance.bytes(Math.ceil(name.length / 8));
  let mixed = '';
  for (let at = 0; at < name.length; at++) {
    const letter = name.charAt(at);
    mixed += ((bits[at >> 3] ?? 0) >> (at & 7)) & 1 ? letter.toUpperCase() : letter;
  }
  return mixed;
}
