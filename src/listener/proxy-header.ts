import { addressText, parseAddress, unmapped } from '../base/index.ts';
import { crc32c } from './crc32c.ts';

/** One end as a proxy reports it. */
export interface ProxyEnd {
  /** Canonical; a mapped IPv4 address as the IPv4 address. */
  readonly ip: string;
  readonly port: number;
}

/** What the bytes so far are. */
export type ProxyOutcome =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'header';
      readonly version: 1 | 2;
      /** The client; undefined when the connection's own address stays (LOCAL, UNKNOWN, other families). */
      readonly source: ProxyEnd | undefined;
      /** What came behind the header: the session's. */
      readonly rest: Uint8Array;
    }
  /** `why` is for the operator. */
  | { readonly kind: 'bad'; readonly why: string };

/** Bytes of a header of version 1 with its line end (PROXY protocol 2.1). */
export const MOST_V1 = 107;
/** Bytes of a header of version 2: 16, addresses, and TLVs, of which a client certificate may be one. */
export const MOST_V2 = 8192;

/**
 * The header that a proxy puts in front of a connection, in either version: bytes in, facts out. It is told which by the
 * first byte, and a byte that cannot stand where it stands is bad at once, however many are to follow.
 *
 * @see "The PROXY protocol, versions 1 & 2", haproxy
 */
export class ProxyHeader {
  #held: Buffer = EMPTY;
  #outcome: ProxyOutcome = MORE;

  /** After another outcome than `more` it says the same again. */
  read(chunk: Uint8Array): ProxyOutcome {
    if (this.#outcome.kind !== 'more' || chunk.length === 0) return this.#outcome;
    this.#held = this.#held.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk]);
    const held = this.#held;
    if (held[0] === V1_PREFIX[0]) this.#outcome = readText(held);
    else if (held[0] === V2_SIGNATURE[0]) this.#outcome = readBinary(held);
    else this.#outcome = bad('it does not begin with a PROXY header');
    if (this.#outcome.kind !== 'more') this.#held = EMPTY;
    return this.#outcome;
  }
}

const EMPTY = Buffer.alloc(0);
const MORE: ProxyOutcome = { kind: 'more' };
const V1_PREFIX = Buffer.from('PROXY ');
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');

const bad = (why: string): ProxyOutcome => ({ kind: 'bad', why });

/** @returns whether as much of it as is there is the beginning of a header */
const begins = (held: Buffer, with_: Buffer): boolean => {
  const length = Math.min(held.length, with_.length);
  return held.subarray(0, length).equals(with_.subarray(0, length));
};

function readText(held: Buffer): ProxyOutcome {
  if (!begins(held, V1_PREFIX)) return bad('it does not begin with a PROXY header');
  const lf = held.indexOf(0x0a);
  if (lf === -1 ? held.length >= MOST_V1 : lf >= MOST_V1) return bad(`more than ${MOST_V1} bytes without a line end`);
  if (lf === -1) return MORE;
  const line = held.toString('latin1', 0, lf + 1);
  if (!/^[\x20-\x7e]*\r\n$/.test(line)) return bad('a line that is no text, or does not end in CRLF');
  const words = line.slice(V1_PREFIX.length, -2).split(' ');
  const rest = held.subarray(lf + 1);
  // Whatever follows UNKNOWN is to be ignored (2.1).
  if (words[0] === 'UNKNOWN') return { kind: 'header', version: 1, source: undefined, rest };
  const [family = '', ip = '', destination = '', port = '', destinationPort = ''] = words;
  const number = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined;
  if (number === undefined) return bad(`'${family}' is none of TCP4, TCP6 and UNKNOWN`);
  const [source, target] = [addressOf(ip, number), addressOf(destination, number)];
  if (words.length !== 5 || source === undefined || target === undefined || !isPort(port) || !isPort(destinationPort))
    return bad(`'${line.slice(0, -2)}' is not 'PROXY ${family}' with two addresses and two ports`);
  return { kind: 'header', version: 1, source: { ip: source, port: Number(port) }, rest };
}

function addressOf(text: string, family: 4 | 6): string | undefined {
  if (text.includes('%') || text.includes(':') !== (family === 6)) return undefined;
  const ip = parseAddress(text);
  return ip === undefined ? undefined : unmapped(ip);
}

const isPort = (text: string): boolean => /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;

const LOCAL = 0;
const PROXY = 1;
const INET = 1;
const INET6 = 2;
const STREAM = 1;
/** Bytes of the addresses and ports by family: unspecified, IPv4, IPv6, Unix. */
const ADDRESS_BYTES = [0, 12, 36, 216];
const FIXED = 16;
const CRC32C = 3;

function readBinary(held: Buffer): ProxyOutcome {
  if (!begins(held, V2_SIGNATURE)) return bad('it does not begin with a PROXY header');
  const [command, family] = [held[12], held[13]];
  if (command === undefined) return MORE;
  if (command >> 4 !== 2) return bad(`version ${command >> 4} of the PROXY protocol`);
  if ((command & 15) > PROXY) return bad(`an unknown command ${command & 15}`);
  if (family === undefined || held.length < FIXED) return MORE;
  const length = FIXED + held.readUInt16BE(14);
  if (length > MOST_V2) return bad(`a header of ${length} bytes, more than ${MOST_V2}`);
  if (held.length < length) return MORE;
  const header = held.subarray(0, length);
  const rest = held.subarray(length);
  const local = (command & 15) === LOCAL;
  const taken = ADDRESS_BYTES[family >> 4];
  // Where the TLVs of a family begin that nobody has defined yet, nobody can know; and what LOCAL says is to be ignored.
  if (taken !== undefined && FIXED + taken <= length) {
    const trouble = judgeTlvs(header, FIXED + taken);
    if (trouble !== undefined) return bad(trouble);
  } else if (taken !== undefined && !local) {
    return bad(`${length - FIXED} bytes are too few for addresses of the family ${family >> 4}`);
  }
  const known = !local && (family & 15) === STREAM && (family >> 4 === INET || family >> 4 === INET6);
  return { kind: 'header', version: 2, source: known ? sourceOf(header, family >> 4) : undefined, rest };
}

function sourceOf(header: Buffer, family: number): ProxyEnd {
  const bytes = family === INET ? 4 : 16;
  return {
    ip: unmapped(addressText(header.subarray(FIXED, FIXED + bytes))),
    port: header.readUInt16BE(FIXED + 2 * bytes),
  };
}

/** @returns what is wrong, undefined when they are in order */
function judgeTlvs(header: Buffer, from: number): string | undefined {
  for (let at = from; at < header.length; ) {
    if (at + 3 > header.length) return 'a TLV that is cut off';
    const type = header[at];
    const end = at + 3 + header.readUInt16BE(at + 1);
    if (end > header.length) return 'a TLV that is longer than the header';
    if (type === CRC32C) {
      if (end !== at + 7) return 'a CRC32C that has not four bytes';
      const zeroed = Buffer.from(header).fill(0, at + 3, end);
      if (crc32c(zeroed) !== header.readUInt32BE(at + 3)) return 'its CRC32C is wrong';
    }
    at = end;
  }
  return undefined;
}
