import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined } from '../../base/index.ts';
import { foldHeader, LongLines, lineLimit } from './long-lines.ts';

test.each([
  ['ignore', 'none', undefined],
  ['pedantic', 'none', { most: 998, act: 'reject' }],
  ['pedantic', 'fix', { most: 998, act: 'reject' }],
  ['fix', 'none', { most: 998, act: 'fix' }],
  [72, 'none', undefined],
  [72, 'fix', { most: 72, act: 'fix' }],
  [72, 'reject', { most: 72, act: 'reject' }],
  [0, 'reject', undefined],
  ['ignore', 'reject', { most: 998, act: 'reject' }],
] as const)('rfc2822_max_line_length %s with policy %s', (length, policy, expected) => {
  expect(lineLimit(length, policy)).toEqual(expected);
});

function broken(text: string, most: number, cuts: readonly number[] = [text.length + 1]) {
  const lines = new LongLines({ most, act: 'fix' });
  const out: Uint8Array[] = [];
  for (let at = 0, index = 0; at < text.length; index += 1) {
    const size = cuts[index % cuts.length] ?? 1;
    lines.pass(Buffer.from(text.slice(at, at + size), 'latin1'), out);
    at += size;
  }
  lines.finish(out);
  return { text: joined(out).toString('latin1'), tooLong: lines.tooLong, dots: lines.dots };
}

describe('lines of a body', () => {
  test('of the longest length are left alone, one octet more is broken at its last blank', () => {
    expect(broken('123 567890\r\nx\r\n', 10)).toEqual({ text: '123 567890\r\nx\r\n', tooLong: false, dots: false });
    expect(broken('123 5678901\r\nx\r\n', 10)).toMatchObject({ text: '123 \r\n5678901\r\nx\r\n', tooLong: true });
  });

  test('without a blank they are broken where they must be, but never within a character', () => {
    expect(broken('12345678901234567890123\r\n', 10).text).toBe('1234567890\r\n1234567890\r\n123\r\n');
    expect(broken('123456789\xc3\xbcx\r\n', 10).text).toBe('123456789\r\n\xc3\xbcx\r\n');
    expect(broken('\xbf'.repeat(12), 10).text.replaceAll('\r\n', '')).toBe('\xbf'.repeat(12));
  });

  test('a dot that comes to stand at a start is told of', () => {
    expect(broken('1234567890.\r\n', 10)).toEqual({ text: '1234567890\r\n.\r\n', tooLong: true, dots: true });
  });

  test('wherever the views are cut no line is longer, and nothing but line ends is added', () => {
    const words = fc.array(fc.constantFrom('a', ' ', '\r\n', '\n', '\r', '.', 'bcdefgh', '\xc3\xa4'), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(words, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (pieces, cuts) => {
        const text = pieces.join('');
        for (const result of [broken(text, 5), broken(text, 5, cuts)]) {
          for (const line of result.text.split('\n')) expect(line.replace(/\r$/, '').length).toBeLessThanOrEqual(5);
          expect(result.text.replaceAll(/[\r\n]/g, '')).toBe(text.replaceAll(/[\r\n]/g, ''));
          if (!result.tooLong) expect(result.text).toBe(text);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('lines of a header', () => {
  const fold = (text: string) => foldHeader(Buffer.from(text, 'latin1'), { most: 20, act: 'fix' })?.toString('latin1');

  test('are folded in front of a blank, so that the field stays the same', () => {
    expect(fold('Subject: one two thr\r\n\r\n')).toBeUndefined();
    expect(fold('Subject: one two three\r\nX: y\r\n\r\n')).toBe('Subject: one two\r\n three\r\nX: y\r\n\r\n');
  });

  test('without a blank a fold adds one', () => {
    expect(fold(`X:${'y'.repeat(30)}\r\n\r\n`)).toBe(`X:${'y'.repeat(18)}\r\n ${'y'.repeat(12)}\r\n\r\n`);
  });
});
