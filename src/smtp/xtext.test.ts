import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeXtext, encodeXtext, parsePairs, printable } from './xtext.ts';

const octets = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) });

test('what is encoded is printable, has no blank, + or =, and decodes to what it was', () => {
  fc.assert(
    fc.property(octets, (text) => {
      const written = encodeXtext(text);
      expect(written).toMatch(/^[\x21-\x3c\x3e-\x7e]*$/);
      expect(decodeXtext(written)).toBe(text);
    }),
  );
});

test('examples', () => {
  expect(encodeXtext('a b+c=d\u00e9')).toBe('a+20b+2Bc+3Dd+E9');
  expect(decodeXtext('+5bUNAVAILABLE+5D', true)).toBe('[UNAVAILABLE]');
  expect(decodeXtext('')).toBe('');
});

test.each(['a=b', 'a b', '+', 'a+2', '+2x', '\u00e9', 'a\r'])('%j is no xtext', (written) => {
  expect(decodeXtext(written)).toBeUndefined();
});

test('pairs', () => {
  expect(parsePairs('a=b  c=+20')).toEqual([
    { key: 'a', value: 'b' },
    { key: 'c', value: ' ' },
  ]);
  expect(parsePairs('a=')).toEqual([{ key: 'a', value: '' }]);
  for (const argument of ['', ' ', 'a', '=b', 'a=b=c', 'a=b\tc', 'a=b c']) expect(parsePairs(argument)).toBeUndefined();
});

test('a reply shows controls as xtext does, and nothing else', () => {
  expect(printable('a b+c=d\r\n\0\u00ff')).toBe('a b+c=d+0D+0A+00+FF');
});
