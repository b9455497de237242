import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineEndFixer } from './line-ends.ts';

type Where = { readonly header: boolean; readonly body: boolean };

function fixed(views: readonly Buffer[], where: Where): { readonly text: string; readonly fixer: LineEndFixer } {
  const fixer = new LineEndFixer(where);
  const out = [...views.flatMap((view) => fixer.fix(view)), ...fixer.finish()];
  return { text: Buffer.concat(out).toString('latin1'), fixer };
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const everywhere: Where = { header: true, body: true };

test('each lone CR and lone LF becomes CRLF', () => {
  const { text, fixer } = fixed([bytes('A: b\nC: d\r\r\n\r\nx\ry\n')], everywhere);
  expect(text).toBe('A: b\r\nC: d\r\n\r\n\r\nx\r\ny\r\n');
  expect([fixer.changed, fixer.changedBody]).toEqual([true, true]);
});

test('views in order are passed on as they are', () => {
  const view = bytes('A: b\r\n\r\nbody\r\n');
  const fixer = new LineEndFixer(everywhere);
  const out = fixer.fix(view);
  expect(out.every((part) => part.buffer === view.buffer)).toBe(true);
  expect([fixer.changed, fixer.changedBody]).toEqual([false, false]);
});

test('only the wanted part is touched, and the fixer tells which part had what', () => {
  const message = [bytes('A: b\nC: d\r\n\r\nx\ny\r\n')];
  const header = fixed(message, { header: true, body: false });
  const body = fixed(message, { header: false, body: true });
  expect([header.text, header.fixer.changedBody]).toEqual(['A: b\r\nC: d\r\n\r\nx\ny\r\n', false]);
  expect([body.text, body.fixer.changedBody]).toEqual(['A: b\nC: d\r\n\r\nx\r\ny\r\n', true]);
});

test('the result is the same whole, byte by byte and cut at random, and has no lone CR or LF', () => {
  const piece = fc.constantFrom('\r', '\n', '\r\n', 'a', 'b: c', '\r\n\r\n', '\n\n');
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(60)), fc.boolean(), fc.boolean(), (pieces, cuts, header, body) => {
      const whole = bytes(pieces.join(''));
      const expected = fixed([whole], { header, body }).text;
      expect(
        fixed(
          [...whole].map((byte) => Buffer.of(byte)),
          { header, body },
        ).text,
      ).toBe(expected);
      const marks = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
      const parts = marks.slice(1).map((mark, index) => whole.subarray(marks[index], mark));
      expect(fixed(parts, { header, body }).text).toBe(expected);
      if (header && body) expect(expected).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
      if (!header && !body) expect(expected).toBe(whole.toString('latin1'));
    }),
    { numRuns: 1000 },
  );
});
