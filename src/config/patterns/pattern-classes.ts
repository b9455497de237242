import { ValueError } from '../option.ts';

/** What stands for the POSIX classes inside `[…]`. */
export const POSIX_CLASSES: ReadonlyMap<string, string> = new Map([
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['alnum', 'A-Za-z0-9'],
  ['upper', 'A-Z'],
  ['lower', 'a-z'],
  ['space', '\\t-\\r '],
  ['blank', '\\t '],
  ['punct', '!-\\/:-@\\[-`\\{-~'],
  ['xdigit', '0-9A-Fa-f'],
  ['word', '\\w'],
  ['cntrl', '\\x00-\\x1f\\x7f'],
  ['print', ' -~'],
  ['graph', '!-~'],
  ['ascii', '\\x00-\\x7f'],
]);

/** @returns whether the text begins with an escape that stands for several characters */
export function className(text: string): boolean {
  return /^\\[dDwWsShHvVpP]/.test(text);
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\\x07',
  e: '\\x1b',
  f: '\\f',
  n: '\\n',
  r: '\\r',
  t: '\\t',
  b: '\\x08',
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  // PCRE's are ASCII, JavaScript's are not.
  s: '\\t-\\r ',
  S: '\\x00-\\x08\\x0e-\\x1f!-\\u{10ffff}',
  h: '\\t \\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000',
  v: '\\n\\v\\f\\r\\x85\\u2028\\u2029',
};

/**
 * The escape at `at`, as it is written inside a JavaScript class with the flag u.
 *
 * @throws ValueError for what has no meaning there
 */
export function escapedInClass(pattern: string, at: number): { text: string; length: number } {
  const rest = pattern.slice(at, at + 40);
  const next = rest[1] ?? '';
  const simple = SIMPLE[next];
  if (simple !== undefined) return { text: simple, length: 2 };
  const property = /^\\([pP])(?:\{(\^?)([A-Za-z_&]+)\}|([A-Z]))/.exec(rest);
  if (property) {
    const negated = (property[1] === 'P') !== (property[2] === '^');
    return {
      text: `\\${negated ? 'P' : 'p'}{${property[3] === 'L&' ? 'LC' : (property[3] ?? property[4])}}`,
      length: property[0].length,
    };
  }
  const hex = /^\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{0,2}))/.exec(rest);
  if (hex) return { text: codePoint(Number.parseInt(hex[1] || hex[2] || '0', 16)), length: hex[0].length };
  const octal = /^\\(?:o\{([0-7]{1,7})\}|([0-7]{1,3}))/.exec(rest);
  if (octal) return { text: codePoint(Number.parseInt(octal[1] ?? octal[2] ?? '0', 8)), length: octal[0].length };
  const control = /^\\c([ -~])/.exec(rest);
  if (control) return { text: codePoint((control[1] ?? '').toUpperCase().charCodeAt(0) ^ 0x40), length: 3 };
  if (next === '' || /[A-Za-z0-9]/.test(next)) {
    throw new ValueError(`a regular expression that JavaScript can express, without the escape \\${next}`);
  }
  const char = String.fromCodePoint(pattern.codePointAt(at + 1) ?? 0);
  return { text: codePoint(char.codePointAt(0) ?? 0), length: 1 + char.length };
}

/** Written by number, so that nothing needs to know what is special where. */
function codePoint(code: number): string {
  if (code > 0x10ffff) throw new ValueError('a regular expression whose characters are in Unicode');
  if (/[A-Za-z0-9_]/.test(String.fromCodePoint(code))) return String.fromCodePoint(code);
  return `\\u{${code.toString(16)}}`;
}
