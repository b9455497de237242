import { addressBytes, addressText, isMapped, parseAddress, unmapped } from './address.ts';

/** A block of addresses. An IPv4-mapped IPv6 block is held as the IPv4 block it means. */
export interface Cidr {
  readonly family: 4 | 6;
  /** The network's address, 4 or 16 bytes; bits behind the prefix are zero. */
  readonly bytes: Uint8Array;
  readonly prefix: number;
  /** Bits behind the prefix were set in the text and have been cleared: worth a warning to who wrote it. */
  readonly hostBits: boolean;
}

/**
 * @param text `192.0.2.0/24`, `2001:db8::/32`, `[2001:db8::]/32`, `[2001:db8::/32]`; without a prefix a single host
 * @returns undefined when it is no block; zones are refused
 */
export function parseCidr(text: string): Cidr | undefined {
  const bare = /^\[([^[\]]*)\](\/.*)?$/.exec(text);
  if (bare && !bare[1]?.includes(':')) return undefined;
  const whole = bare ? `${bare[1]}${bare[2] ?? ''}` : text;
  const slash = whole.indexOf('/');
  const ip = parseAddress(slash === -1 ? whole : whole.slice(0, slash));
  if (ip === undefined || ip.includes('%')) return undefined;
  const bytes = addressBytes(ip);
  const digits = slash === -1 ? String(bytes.length * 8) : whole.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits) || Number(digits) > bytes.length * 8) return undefined;
  const prefix = Number(digits);
  if (bytes.length === 16 && prefix >= 96 && isMapped(bytes)) return block(bytes.slice(12), prefix - 96);
  return block(bytes, prefix);
}

/** @returns whether an address (a mapped one counts as its IPv4 address) lies in the block */
export function contains(cidr: Cidr, ip: string): boolean {
  const bytes = addressBytes(unmapped(ip));
  if (bytes.length !== cidr.bytes.length) return false;
  const whole = cidr.prefix >> 3;
  for (let at = 0; at < whole; at++) if (bytes[at] !== cidr.bytes[at]) return false;
  const rest = cidr.prefix & 7;
  return rest === 0 || (((bytes[whole] ?? 0) ^ (cidr.bytes[whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0;
}

/** @returns canonical text, always with its prefix: two blocks are the same when their texts are */
export function cidrText(cidr: Cidr): string {
  return `${addressText(cidr.bytes)}/${cidr.prefix}`;
}

/**
 * Values by block. One look-up costs a hash for each prefix length in use, of which even long lists have few;
 * the number of blocks does not matter.
 */
export class CidrTable<T> {
  readonly #ipv4: Level<T>[] = [];
  readonly #ipv6: Level<T>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Several values may be added for one block; they come out in the order they went in. */
  add(cidr: Cidr, value: T): void {
    const levels = cidr.family === 4 ? this.#ipv4 : this.#ipv6;
    let index = levels.findIndex((level) => level.prefix <= cidr.prefix);
    if (index === -1) index = levels.length;
    let level = levels[index];
    if (level?.prefix !== cidr.prefix) {
      level = { prefix: cidr.prefix, values: new Map() };
      levels.splice(index, 0, level);
    }
    const key = maskedKey(cidr.bytes, cidr.prefix);
    const values = level.values.get(key);
    if (values) values.push(value);
    else level.values.set(key, [value]);
    this.#size++;
  }

  /** @returns the values of all blocks that contain `ip`, longest prefix first */
  matches(ip: string): T[] {
    const found: T[] = [];
    if (this.#size === 0) return found;
    const word = ipv4Word(ip);
    if (word !== -1) {
      for (const { prefix, values } of this.#ipv4) {
        const here = values.get(prefix === 0 ? 0 : (word & (-1 << (32 - prefix))) >>> 0);
        if (here) for (const value of here) found.push(value);
      }
      return found;
    }
    const bytes = addressBytes(unmapped(ip));
    for (const level of bytes.length === 4 ? this.#ipv4 : this.#ipv6) {
      const values = level.values.get(maskedKey(bytes, level.prefix));
      if (values) found.push(...values);
    }
    return found;
  }
}

/** @returns an IPv4 address as a number without building anything, -1 when it is not one in its plain form */
function ipv4Word(ip: string): number {
  let word = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < ip.length; at++) {
    const code = ip.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || ++dots > 3) return -1;
      word = word * 256 + octet;
      octet = 0;
      digits = 0;
    } else {
      // A leading zero means different things to different people: whoever parses addresses decides.
      if (code < ZERO || code > NINE || (digits > 0 && octet === 0)) return -1;
      octet = octet * 10 + (code - ZERO);
      digits++;
      if (octet > 255) return -1;
    }
  }
  return dots === 3 && digits > 0 ? word * 256 + octet : -1;
}

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

interface Level<T> {
  readonly prefix: number;
  readonly values: Map<number | string, T[]>;
}

function block(bytes: Uint8Array, prefix: number): Cidr {
  const network = Uint8Array.from(bytes, (byte, at) => byte & byteMask(prefix, at));
  const hostBits = network.some((byte, at) => byte !== bytes[at]);
  return { family: bytes.length === 4 ? 4 : 6, bytes: network, prefix, hostBits };
}

/** The part of a netmask that covers the byte at `at`. */
function byteMask(prefix: number, at: number): number {
  const bits = prefix - at * 8;
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff00 >> bits) & 0xff;
}

function maskedKey(bytes: Uint8Array, prefix: number): number | string {
  if (bytes.length === 4) return maskedWord(bytes, 0, prefix);
  let key = '';
  for (let at = 0; at * 8 < prefix; at += 4) key += `${maskedWord(bytes, at, prefix - at * 8).toString(36)}:`;
  return key;
}

function maskedWord(bytes: Uint8Array, at: number, bits: number): number {
  const word =
    ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  if (bits >= 32) return word >>> 0;
  return bits <= 0 ? 0 : (word & (-1 << (32 - bits))) >>> 0;
}
