import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatReply, reply } from './reply.ts';
import { MOST_REPLY_BYTES, type ReplyRead, ReplyReader } from './reply-reader.ts';

function readAll(chunks: readonly Uint8Array[]): ReplyRead[] {
  const reader = new ReplyReader();
  const seen: ReplyRead[] = [];
  for (const chunk of chunks) {
    reader.receive(chunk);
    for (let read = reader.next(); read !== undefined; read = reader.next()) seen.push(read);
  }
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (text: string): ReplyRead[] => readAll([bytes(text)]);

test('a reply is code, enhanced code and text', () => {
  expect(read('250 2.1.0 sender ok\r\n')).toEqual([
    { kind: 'reply', reply: reply(250, '2.1.0', 'sender ok'), lines: ['2.1.0 sender ok'] },
  ]);
});

test('lines are joined: code and enhanced code once, single blanks', () => {
  expect(read('550-5.7.1  You may\tnot\r\n550 5.7.1 do  this \r\n')[0]).toMatchObject({
    reply: reply(550, '5.7.1', 'You may not do this'),
  });
});

test('the lines of an EHLO reply are there one by one', () => {
  expect(read('250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n')[0]).toMatchObject({
    lines: ['mx.example', 'SIZE 1000', 'PIPELINING'],
  });
});

test('when the codes of the lines differ, the last one counts', () => {
  expect(read('250-fine\r\n451 4.3.0 not fine\r\n')[0]).toMatchObject({ reply: { code: 451, text: 'fine not fine' } });
});

test('an enhanced code of another class is text', () => {
  expect(read('550 4.7.1 no\r\n')[0]).toMatchObject({ reply: reply(550, undefined, '4.7.1 no') });
});

test.each(['250 1\r\n', '220\r\n', '354 go\n', '599 \r\n'])('%j is a reply', (text) => {
  expect(read(text)[0]?.kind).toBe('reply');
});

test.each(['hello\r\n', '\r\n', '199 no\r\n', '600 no\r\n', '25\r\n', '250x no\r\n', '250-a\r\nb\r\n'])(
  '%j is garbage',
  (text) => {
    expect(read(text).at(-1)?.kind).toBe('garbage');
  },
);

test('after garbage the next reply is read', () => {
  expect(read('250-a\r\nwhat\r\n250 b\r\n').map((each) => each.kind)).toEqual(['garbage', 'reply']);
});

test('no more than 8 KiB of a text are kept, in one line or in many', () => {
  const long = read(`250 ${'x'.repeat(3 * MOST_REPLY_BYTES)}\r\n`)[0];
  const many = read(`${`250-${'y'.repeat(70)}\r\n`.repeat(1000)}250 end\r\n`)[0];
  expect(long?.kind === 'reply' && long.reply.text.length).toBe(MOST_REPLY_BYTES - 4);
  expect(many?.kind === 'reply' && many.reply.text.length).toBeLessThanOrEqual(MOST_REPLY_BYTES);
});

test('a line or a reply without end is garbage, and memory stays small', () => {
  const reader = new ReplyReader();
  const seen: ReplyRead[] = [];
  for (let sent = 0; sent < 40 && seen.length === 0; sent += 1) {
    reader.receive(Buffer.alloc(65536, 120));
    const said = reader.next();
    if (said !== undefined) seen.push(said);
    expect(reader.buffered).toBeLessThanOrEqual(MOST_REPLY_BYTES);
  }
  expect(seen[0]?.kind).toBe('garbage');
  expect(read(`250-${'y'.repeat(996)}\r\n`.repeat(1100))[0]?.kind).toBe('garbage');
});

test('replies are the same whole, byte by byte and cut at random', () => {
  const line = fc.constantFrom(
    '250 ok\r\n',
    '250-2.0.0 a\r\n',
    '550 5.1.1 no\r\n',
    'junk\r\n',
    '354\n',
    '250-\r\n',
    '2',
    '\r\n',
    '421-x',
  );
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
      const whole = bytes(lines.join(''));
      const expected = readAll([whole]);
      expect(readAll([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
      const marks = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
      expect(readAll(marks.slice(1).map((mark, index) => whole.subarray(marks[index], mark)))).toEqual(expected);
    }),
  );
});

test('what we format is what we read', () => {
  const text = fc.array(fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8})*$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(text, (lines) => {
      const said = formatReply(reply(550, '5.7.1', lines.join('\n')), true);
      expect(readAll([said])[0]).toMatchObject({ reply: reply(550, '5.7.1', lines.join(' ')) });
    }),
  );
});

test('enhanced codes are shown when negotiated, and always in a 421', () => {
  expect(formatReply(reply(250, '2.0.0', 'OK'), false).toString()).toBe('250 OK\r\n');
  expect(formatReply(reply(250, '2.0.0', 'OK'), true).toString()).toBe('250 2.0.0 OK\r\n');
  expect(formatReply(reply(421, '4.4.2', 'idle'), false).toString()).toBe('421 4.4.2 idle\r\n');
  expect(formatReply(reply(214, '2.0.0', 'a\nb'), true).toString()).toBe('214-2.0.0 a\r\n214 2.0.0 b\r\n');
});
