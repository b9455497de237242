/**
 * `xtext` of RFC 3461 §4: printable ASCII but `+` and `=` stands for itself, everything else is `+` and two upper-case
 * hexadecimal digits. Characters are octets, U+0000 to U+00FF.
 */

const WRITTEN = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*$/;
const LENIENT = new RegExp(WRITTEN, 'i');

/**
 * @param lenient  digits in lower case are understood, as Postfix understands them in XCLIENT
 * @returns undefined when it is no xtext
 */
export function decodeXtext(written: string, lenient = false): string | undefined {
  if (!(lenient ? LENIENT : WRITTEN).test(written)) return undefined;
  if (!written.includes('+')) return written;
  return written.replace(/\+([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** @param text  octets as characters; what is above U+00FF is not to be given */
export function encodeXtext(text: string): string {
  return text.replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x7e]/g, escaped);
}

const escaped = (character: string): string =>
  `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/** Controls and 8-bit octets as in xtext, everything else as it is: what may stand in the text of a reply or a log line. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, escaped);
}

/** One `key=value` of an argument. */
export interface Pair {
  readonly key: string;
  readonly value: string;
}

/**
 * `key=value …` with values in xtext, parted by one or more blanks.
 *
 * @returns undefined when there is none, or one is not written so
 */
export function parsePairs(argument: string): readonly Pair[] | undefined {
  const pairs: Pair[] = [];
  for (const word of argument.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const value = equals < 1 ? undefined : decodeXtext(word.slice(equals + 1), true);
    if (value === undefined) return undefined;
    pairs.push({ key: word.slice(0, equals), value });
  }
  return pairs.length === 0 ? undefined : pairs;
}
