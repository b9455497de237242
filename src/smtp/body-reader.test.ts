import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyReader } from './body-reader.ts';

interface Read {
  readonly body: string;
  readonly rest: string | undefined;
  readonly dots: boolean;
  readonly lone: boolean;
}

function read(chunks: readonly Buffer[]): Read {
  const reader = new BodyReader();
  const views: Uint8Array[] = [];
  let rest: string | undefined;
  for (const chunk of chunks) {
    if (rest !== undefined) {
      rest += chunk.toString('latin1');
      continue;
    }
    const behind = reader.read(chunk, 0, views);
    if (behind !== -1) rest = chunk.toString('latin1', behind);
  }
  const body = Buffer.concat(views).toString('latin1');
  expect(reader.length).toBe(body.length);
  return { body, rest, dots: reader.dots, lone: reader.lone };
}

/** The same by the book: one regular expression and no chunks. */
function byTheBook(text: string): Read {
  const whole = `\r\n${text}`;
  const end = whole.indexOf('\r\n.\r\n');
  const raw = end === -1 ? text : whole.slice(2, end + 2);
  const body = `\r\n${raw}`.replaceAll('\r\n.', '\r\n').slice(2);
  return {
    body,
    rest: end === -1 ? undefined : whole.slice(end + 5),
    dots: `\r\n${raw}`.includes('\r\n..'),
    lone: /\r(?!\n)|(?<!\r)\n/.test(raw),
  };
}

const whole = (text: string): Read => read([Buffer.from(text, 'latin1')]);
const byByte = (text: string): Read => read([...Buffer.from(text, 'latin1')].map((byte) => Buffer.of(byte)));

test.each([
  ['.\r\nQUIT\r\n', { body: '', rest: 'QUIT\r\n', dots: false, lone: false }],
  ['a\r\n.\r\n', { body: 'a\r\n', rest: '', dots: false, lone: false }],
  ['..a\r\n.b\r\n.\r\n', { body: '.a\r\nb\r\n', rest: '', dots: true, lone: false }],
  ['..\r\n.\r\n', { body: '.\r\n', rest: '', dots: true, lone: false }],
  ['.\rx\r\n.\r\n', { body: '\rx\r\n', rest: '', dots: false, lone: true }],
  ['.\r\r\n.\r\n', { body: '\r\r\n', rest: '', dots: false, lone: true }],
  ['a\n.\n.\r\nb\r\n.\r\n', { body: 'a\n.\n.\r\nb\r\n', rest: '', dots: false, lone: true }],
])('%j', (text, expected) => {
  expect(whole(text)).toEqual(expected);
  expect(byByte(text)).toEqual(expected);
});

test.each([
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r\n.\r',
  '\r.\r\n',
  '\r\n. \r\n',
  '\r\r.\r\r',
  '\r\n.\r\r\n',
  '\r\n\0.\r\n',
])('%j does not end a body', (ending) => {
  expect(whole(`a${ending}b\r\n.\r\n`).rest).toBe('');
  expect(whole(`a${ending}b\r\n.\r\n`).body).toContain('b');
  expect(byByte(`a${ending}b\r\n.\r\n`)).toEqual(whole(`a${ending}b\r\n.\r\n`));
});

test('a body is the same whole, byte by byte and cut at random, and what the RFC says', () => {
  const piece = fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', '..', 'a', 'text', '\r\n.\r', '\n.\n');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 80 }), fc.array(fc.nat(200)), (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      const expected = byTheBook(pieces.join(''));
      const marks = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      // Without an end the framing cannot judge a CR at the end.
      if (expected.rest === undefined && pieces.at(-1)?.endsWith('\r') === true) return;
      expect(whole(pieces.join(''))).toEqual(expected);
      expect(byByte(pieces.join(''))).toEqual(expected);
      expect(read(marks.slice(1).map((mark, index) => bytes.subarray(marks[index], mark)))).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
});

test('a chunk in which every line begins with a dot becomes few views', () => {
  const reader = new BodyReader();
  const views: Uint8Array[] = [];
  const text = '..\r\n.x\r\n'.repeat(5000);
  reader.read(Buffer.from(text, 'latin1'), 0, views);
  expect(views.length).toBeLessThan(40);
  expect(Buffer.concat(views).toString('latin1')).toBe('.\r\nx\r\n'.repeat(5000));
});

test('bodies are views of the chunks, not copies', () => {
  const chunk = Buffer.from('Subject: x\r\n\r\nhello\r\n.\r\n', 'latin1');
  const views: Uint8Array[] = [];
  expect(new BodyReader().read(chunk, 0, views)).toBe(chunk.length);
  expect(views).toHaveLength(1);
  expect(views[0]?.buffer).toBe(chunk.buffer);
});
