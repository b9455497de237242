import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ascii, fitLines, hasDots, readable, statusField, wrapped } from './original.ts';

const fitted = (text: string, kind: 'header' | 'body' = 'header') =>
  fitLines(Buffer.from(text, 'latin1'), kind).bytes.toString('latin1');

test('lines in order are not changed by a byte', () => {
  const text = 'To: a\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\n\tfolded\r\n';
  expect(fitted(text)).toBe(text);
});

test('a lone CR or LF becomes CRLF, a NUL a question mark, and the last line ends', () => {
  expect(fitted('a\nb\rc\r\nd\0e')).toBe('a\r\nb\r\nc\r\nd?e\r\n');
  expect(fitted('')).toBe('');
});

test('a long header line is folded, a long body line broken', () => {
  const long = `X: ${'y'.repeat(2500)}`;
  const folded = fitted(`${long}\r\n`).split('\r\n');
  expect(folded.slice(0, -1).map((line) => line.length)).toEqual([998, 998, 509]);
  expect(folded.slice(1, -1).every((line) => line.startsWith(' '))).toBe(true);
  expect(fitted(`${'z'.repeat(1000)}\r\n`, 'body')).toBe(`${'z'.repeat(998)}\r\nzz\r\n`);
  expect(fitted(`${'z'.repeat(998)}\r\n`, 'body')).toBe(`${'z'.repeat(998)}\r\n`);
});

test('whatever comes in, what goes out has CRLF lines of at most 998 bytes and keeps all other bytes', () => {
  const piece = fc.oneof(fc.constantFrom('\r', '\n', '\r\n', '\0', 'x'.repeat(700)), fc.string({ maxLength: 10 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = Buffer.from(pieces.join(''), 'utf8').toString('latin1');
      const out = fitted(text, 'body');
      expect(out.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
      for (const line of out.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
      expect(out.replace(/[\r\n]/g, '')).toBe(text.replace(/[\r\n]/g, '').replaceAll('\0', '?'));
    }),
  );
});

test('8-bit bytes and lines with a dot are noticed', () => {
  expect(fitLines(Buffer.from('a'), 'body').eightBit).toBe(false);
  expect(fitLines(Buffer.from('é'), 'body').eightBit).toBe(true);
  expect([hasDots(Buffer.from('.a')), hasDots(Buffer.from('a\r\n.b')), hasDots(Buffer.from('a.\r\n'))]).toEqual([
    true,
    true,
    false,
  ]);
});

test('text for people is Unicode without controls, text for programs ASCII', () => {
  expect(readable(Buffer.from('größer\r\n', 'utf8').toString('latin1'))).toBe('größer  ');
  expect(ascii('gr\xfc\n')).toBe('gr??');
});

test('text is wrapped at blanks, and broken where there are none', () => {
  expect(wrapped('one two three', 7, '> ')).toBe('> one two\r\n> three\r\n');
  expect(wrapped('x'.repeat(10), 4, '')).toBe('xxxx\r\nxxxx\r\nxx\r\n');
  expect(wrapped('', 4, '')).toBe('');
});

test('a status field stays on one line up to 900 characters and is folded beyond', () => {
  expect(statusField('Action', 'failed')).toBe('Action: failed\r\n');
  const lines = statusField('Diagnostic-Code', `smtp; ${'word '.repeat(500)}`).split('\r\n');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines.slice(1, -1)) expect(line).toMatch(/^ word/);
});
