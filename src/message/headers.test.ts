import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countReceived, fieldValue, findField, findHeaderEnd, HeaderScanner } from './headers.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const value = (text: string, name: string) => {
  const given = bytes(text);
  const span = findField(given, name);
  return span === undefined ? undefined : fieldValue(given, span);
};

test('the header ends at the first blank line', () => {
  expect(findHeaderEnd(bytes('A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n'))).toEqual({ header: 12, body: 14 });
  expect(findHeaderEnd(bytes('A: 1\nB: 2\n\nbody'))).toEqual({ header: 10, body: 11 });
  expect(findHeaderEnd(bytes('\r\nbody'))).toEqual({ header: 0, body: 2 });
});

test('a line of blanks does not end the header', () => {
  expect(findHeaderEnd(bytes('A: 1\r\n \r\nB: 2\r\n\r\n'))).toEqual({ header: 15, body: 17 });
});

test('without a blank line there is no end', () => {
  expect(findHeaderEnd(bytes('A: 1\r\nB: 2\r\n'))).toBeUndefined();
  expect(findHeaderEnd(bytes('A: 1\r\nB: 2\r\n\r'))).toBeUndefined();
  expect(findHeaderEnd(bytes(''))).toBeUndefined();
});

test('cut anywhere, a header has the same end', () => {
  const piece = fc.constantFrom('A: 1', '\r', '\n', '\r\n', ' ', 'x', '\r\n\r\n');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat({ max: 9 })), (pieces, cuts) => {
      const whole = bytes(pieces.join(''));
      const scanner = new HeaderScanner();
      let at = 0;
      let cut = 0;
      while (at < whole.length) {
        const next = Math.min(whole.length, at + 1 + (cuts[cut++ % Math.max(1, cuts.length)] ?? 0));
        scanner.feed(whole.subarray(at, next));
        at = next;
      }
      expect(scanner.length).toBe(findHeaderEnd(whole)?.body);
    }),
    { numRuns: 500 },
  );
});

test('a field is found by its name in any case, and unfolded', () => {
  const text = 'To: a\r\nMESSAGE-id : <1\r\n\t@x>  \r\nSubject: s\r\n\r\nSubject: body\r\n';
  expect(value(text, 'Message-ID')).toBe('<1\t@x>');
  expect(value(text, 'subject')).toBe('s');
  expect(value(text, 'to')).toBe('a');
});

test('a field of the body, a longer name or a continuation line is not taken for the field', () => {
  const text = 'Subject-X: no\r\nTo: a\r\n Subject: folded\r\n\r\nSubject: body\r\n';
  expect(value(text, 'Subject')).toBeUndefined();
  expect(value(text, 'To')).toBe('a Subject: folded');
});

test('8-bit values come as Latin-1 characters', () => {
  expect(value('Subject: \u00c3\u00a9\r\n\r\n', 'subject')).toBe('\u00c3\u00a9');
});

test('an empty or unfinished last field is found', () => {
  expect(value('Subject:', 'subject')).toBe('');
  expect(value('Subject: x', 'subject')).toBe('x');
  expect(value('Subject', 'subject')).toBeUndefined();
});

test('Received fields are counted up to the blank line', () => {
  expect(
    countReceived(bytes('Received: a\r\n\tb\r\nX: y\r\nreceived: c\r\nReceived-SPF: d\r\n\r\nReceived: e\r\n')),
  ).toBe(2);
});
