import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitWords } from './words.ts';

const texts = (line: string) => splitWords(line).words.map(({ text }) => text);

test.each([
  ['', []],
  ['  summary \t reset ', ['summary', 'reset']],
  ['fail domain "a b" c', ['fail', 'domain', 'a b', 'c']],
  ['a"b c"d', ['ab cd']],
  ['"" x', ['', 'x']],
  ['"say \\"hi\\" \\\\ \\n"', ['say "hi" \\ \\n']],
  ['back\\slash', ['back\\slash']],
])('%j is split at blanks outside quotes', (line, words) => {
  expect(texts(line)).toEqual(words);
  expect(splitWords(line).open).toBe(false);
});

test('a quote that is never closed is told, and takes the rest', () => {
  expect(splitWords('a "b c')).toMatchObject({
    open: true,
    words: [
      { text: 'a', quoted: false },
      { text: 'b c', quoted: true },
    ],
  });
  expect(splitWords('a "b\\"').open).toBe(true);
});

test('places point at what was typed', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\t', '"', '\\') }), (line) => {
      let last = 0;
      for (const { from, to, quoted, text } of splitWords(line).words) {
        expect(line.slice(last, from).trim()).toBe('');
        if (!quoted) expect(line.slice(from, to)).toBe(text);
        last = to;
      }
      expect(line.slice(last).trim()).toBe('');
    }),
  );
});
