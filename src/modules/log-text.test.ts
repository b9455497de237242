import fc from 'fast-check';
import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import {
  domainPart,
  escapeBackslashes,
  escapeControls,
  escapeDelimiters,
  type LineFormat,
  lineOf,
  localPart,
  stamps,
  twoDecimals,
} from './log-text.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test('control characters are named and everything else stays as it was', () => {
  expect(escapeControls('a\nb\rc\td\0e\x7ff \\ @')).toBe('a\\nb\\rc\\td\\x00e\\x7Ff \\ @');
});

test('UTF-8 of a peer stays, broken UTF-8 is named byte by byte', () => {
  expect(escapeControls(bytes('größe 😀'))).toBe(bytes('größe 😀'));
  expect(escapeControls('\xe9t\xe9')).toBe('\\xE9t\\xE9');
  expect(escapeControls('\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82')).toBe(
    '\\xC0\\xAF \\xED\\xA0\\x80 \\xF4\\x90\\x80\\x80 \\xE2\\x82',
  );
});

test('the line end of Unicode cannot end a line', () => {
  expect(escapeControls(bytes('a\u0085b'))).toBe('a\\xC2\\x85b');
});

test('text of our own beyond Latin-1 becomes UTF-8', () => {
  expect(escapeControls('日本\n')).toBe(`${bytes('日本')}\\n`);
});

test('full escaping doubles backslashes and marks the delimiter, which the last field keeps', () => {
  expect(escapeDelimiters('a@b\\c')).toBe('a\\@b\\\\c');
  expect(escapeBackslashes('a@b\\c')).toBe('a@b\\\\c');
});

test('whatever is in the fields, a line is one line of valid UTF-8, and with full escaping it splits again', () => {
  const format: LineFormat<readonly string[]> = ([one = '', two = '', three = ''], stamp, { field, last }) =>
    `${stamp}@${field(one)}@${field(two)}@${last(three)}`;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  });
  fc.assert(
    fc.property(text, text, text, (...fields) => {
      for (const mode of ['control', 'full'] as const) {
        const line = lineOf(format, fields, '1700000000', mode);
        expect(line).not.toMatch(/[\0-\x1f\x7f]/);
        decoder.decode(Buffer.from(line, 'latin1'));
      }
      const full = lineOf(format, fields, '1700000000', 'full');
      const found = /^1700000000@((?:[^@\\]|\\.)*)@((?:[^@\\]|\\.)*)@(.*)$/s.exec(full);
      expect(found?.slice(1).map(unescaped)).toEqual(fields);
    }),
    { numRuns: 500 },
  );
});

/** Reads what full escaping wrote. */
function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9A-F]{2})|(.))/g, (_, hex: string | undefined, character: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return { n: '\n', r: '\r', t: '\t' }[character] ?? character;
  });
}

test('a stamp has 10 digits, with log_hires_timestamp 16', () => {
  expect(stamps(false)(millis(1_700_000_000_999))).toBe('1700000000');
  expect(stamps(true)(millis(1_700_000_000_999.25))).toBe('1700000000999250');
  const stamp = stamps(false);
  expect([1999, 2000, 1999, 2500].map((at) => stamp(millis(at)))).toEqual(['1', '2', '1', '2']);
});

test('queue times have two decimals and are never negative', () => {
  expect([0, 1.866, 1204.11, 86401, -0.5].map(twoDecimals)).toEqual(['0.00', '1.87', '1204.11', '86401.00', '0.00']);
});

test('an address is parted at its last @', () => {
  expect([localPart('"a@b"@c.test'), domainPart('"a@b"@c.test')]).toEqual(['"a@b"', 'c.test']);
  expect([localPart('postmaster'), domainPart('postmaster')]).toEqual(['postmaster', '']);
  expect([localPart(''), domainPart('')]).toEqual(['', '']);
});
