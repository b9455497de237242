import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineScan } from './line-scan.ts';

const scanned = (parts: readonly string[]): readonly [boolean, boolean] => {
  const scan = new LineScan();
  for (const part of parts) scan.see(Buffer.from(part, 'latin1'));
  return [scan.dots, scan.lone];
};
const expected = (text: string): readonly [boolean, boolean] => [
  /(?:^|\n)\./.test(text),
  /\r(?!\n)|(?<!\r)\n/.test(text),
];

test('dots at the start of lines and lone line ends are found, wherever the body is cut', () => {
  const piece = fc.constantFrom('\r', '\n', '.', 'a', '\r\n', 'é', '\r\n.', '');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(24), { maxLength: 4 }), (pieces, cuts) => {
      const text = pieces.join('');
      const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((one, other) => one - other), text.length];
      const parts = at.slice(1).map((end, index) => text.slice(at[index], end));
      expect(scanned(parts)).toEqual(expected(text));
      expect(scanned([...text])).toEqual(expected(text));
    }),
    { numRuns: 3000 },
  );
});
