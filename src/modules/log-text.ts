import type { Millis } from '../base/index.ts';

/**
 * How text gets into a line. `control`: every byte as Momentum writes it, except that no control character can end or
 * forge a line. `full`: backslashes too, and `@` in every field but the last, so that lines split unambiguously.
 */
export type EscapeMode = 'control' | 'full';

/** The two kinds of field in a line with delimiters. */
export interface Escape {
  /** A field that others follow. */
  field(text: string): string;
  /** The last one: readers take the rest of the line. */
  last(text: string): string;
}

/** What a line is made of, for one kind of event. */
export type LineFormat<Event> = (event: Event, stamp: string, ways: Escape) => string;

/**
 * A line as bytes in Latin-1 characters. Nearly every line is printable ASCII and is made without escaping, which is
 * then found out by one test of the whole line; only the others are made again, field by field.
 */
export function lineOf<Event>(format: LineFormat<Event>, event: Event, stamp: string, mode: EscapeMode): string {
  if (mode === 'full') return format(event, stamp, full);
  const line = format(event, stamp, asIs);
  return unprintable.test(line) ? format(event, stamp, control) : line;
}

const same = (text: string): string => text;
const asIs: Escape = { field: same, last: same };

const unprintable = /[^\x20-\x7e]/;
const unprintableOrBackslash = /[^\x20-\x5b\x5d-\x7e]/;
const unprintableOrDelimiter = /[^\x20-\x3f\x41-\x5b\x5d-\x7e]/;

/** Control characters and broken UTF-8 only. */
export function escapeControls(text: string): string {
  return unprintable.test(text) ? escaped(text, '') : text;
}

/** Backslashes as well: `\` is written `\\`. */
export function escapeBackslashes(text: string): string {
  return unprintableOrBackslash.test(text) ? escaped(text, '\\') : text;
}

/** Backslashes and the delimiter: `@` is written `\@`. */
export function escapeDelimiters(text: string): string {
  return unprintableOrDelimiter.test(text) ? escaped(text, '\\@') : text;
}

const control: Escape = { field: escapeControls, last: escapeControls };
const full: Escape = { field: escapeDelimiters, last: escapeBackslashes };

/**
 * Characters up to 255 are bytes of what a peer sent; when there are others, the text is ours and becomes UTF-8.
 *
 * @param special ASCII characters that get a backslash before them
 */
export function escaped(text: string, special: string): string {
  const bytes = Buffer.from(text, /[^\0-\xff]/.test(text) ? 'utf8' : 'latin1');
  let line = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      line += byte < 0x20 || byte === 0x7f ? controlName(byte) : asciiCharacter(byte, special);
      at += 1;
      continue;
    }
    const length = characterLength(bytes, at);
    // U+0080 to U+009F are controls too, and NEL ends a line for some readers.
    if (length === 0 || (byte === 0xc2 && (bytes[at + 1] as number) < 0xa0)) {
      line += hexName(byte);
      if (length === 2) line += hexName(bytes[at + 1] as number);
      at += Math.max(1, length);
      continue;
    }
    line += bytes.toString('latin1', at, at + length);
    at += length;
  }
  return line;
}

function asciiCharacter(byte: number, special: string): string {
  const character = String.fromCharCode(byte);
  return special.includes(character) ? `\\${character}` : character;
}

function controlName(byte: number): string {
  switch (byte) {
    case 9:
      return '\\t';
    case 10:
      return '\\n';
    case 13:
      return '\\r';
    default:
      return hexName(byte);
  }
}

const hexName = (byte: number): string => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** @returns bytes of the well-formed UTF-8 character that begins with a byte above 127, 0 when there is none (RFC 3629 §4) */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const second = bytes[at + 1] ?? 0;
  if (first >= 0xc2 && first <= 0xdf) return isTail(second) ? 2 : 0;
  const third = bytes[at + 2] ?? 0;
  if (first >= 0xe0 && first <= 0xef) {
    const least = first === 0xe0 ? 0xa0 : 0x80;
    const most = first === 0xed ? 0x9f : 0xbf;
    return second >= least && second <= most && isTail(third) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const least = first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xf4 ? 0x8f : 0xbf;
    return second >= least && second <= most && isTail(third) && isTail(bytes[at + 3] ?? 0) ? 4 : 0;
  }
  return 0;
}

const isTail = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Tells the time in a log's way. Lines of one second share one text. */
export function stamps(hires: boolean): (at: Millis) => string {
  // 16 digits of microseconds since the epoch: below 2 ** 53 until the year 2255.
  if (hires) return (at) => String(Math.floor(at * 1000));
  let second = -1;
  let text = '';
  return (at) => {
    const now = Math.floor(at / 1000);
    if (now !== second) {
      second = now;
      text = String(now);
    }
    return text;
  };
}

/** Seconds with two decimals, as `1.87`. */
export const twoDecimals = (value: number): string => Math.max(0, value).toFixed(2);

/** The local part of `local@domain`; a quoted one may itself have an `@`. Without a domain it is the whole. */
export function localPart(path: string): string {
  const at = path.lastIndexOf('@');
  return at === -1 ? path : path.slice(0, at);
}

/** The domain of `local@domain`; empty when there is none. */
export function domainPart(path: string): string {
  const at = path.lastIndexOf('@');
  return at === -1 ? '' : path.slice(at + 1);
}
