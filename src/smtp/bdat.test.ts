import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { ChunkedBody, readChunkSize } from './bdat.ts';
import { reply } from './reply.ts';
import { smtpServer } from './server.ts';
import { type ServerEvent, serverDefaults, serverWord } from './server-events.ts';

test.each([
  ['0', { octets: 0, last: false }],
  ['12', { octets: 12, last: false }],
  ['12  last ', { octets: 12, last: true }],
  ['12 LAST', { octets: 12, last: true }],
  ['', undefined],
  ['-1', undefined],
  ['12LAST', undefined],
  ['12 LAST X', undefined],
  ['0x10', undefined],
  ['9999999999999999', undefined],
])('BDAT %j', (text, expected) => {
  expect(readChunkSize(text)).toEqual(expected);
});

/** What the body of DATA would have been found to be. */
const facts = (text: string) => ({
  length: text.length,
  dots: /(?:^|\n)\./.test(text),
  lone: /\r(?!\n)|(?<!\r)\n/.test(text),
  eightBit: /[^\0-\x7f]/.test(text),
});

test('dots, lone line ends and bytes above 127 are found wherever the views are cut', () => {
  const piece = fc.constantFrom('\r', '\n', '\r\n', '.', 'a', '\xff', '\r\n.', '\n.');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
      (pieces, cuts) => {
        const text = pieces.join('');
        const body = new ChunkedBody();
        for (let at = 0, index = 0; at < text.length; index += 1) {
          const size = cuts[index % cuts.length] ?? 1;
          body.see(Buffer.from(text.slice(at, at + size), 'latin1'));
          at += size;
        }
        body.end();
        const { length, dots, lone, eightBit } = body;
        const expected = facts(text);
        expect({ length, lone, eightBit }).toEqual({
          length: expected.length,
          lone: expected.lone,
          eightBit: expected.eightBit,
        });
        // A line that a lone LF begins may be missed when both were found already; then every line is looked at anyway.
        if (!expected.lone) expect(dots).toBe(expected.dots);
        else if (expected.dots) expect(dots || lone).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

interface Heard {
  readonly said: string;
  readonly body: string;
  readonly kinds: readonly string[];
}

function hear(text: string, cut: (text: string) => readonly string[]): Heard {
  const offers = { ...serverDefaults.offers, chunking: true, binaryMime: true };
  const machine = smtpServer({ offers });
  const kinds: string[] = [];
  let said = '';
  let body = '';
  const answer = (event: ServerEvent): void => {
    if (event.kind === 'body') body += joined(event.bytes).toString('latin1');
    else kinds.push(event.kind);
    if (event.kind === 'body' || event.kind === 'refused' || event.kind === 'gone') return;
    machine.say(
      event.turn,
      serverWord(reply(250, undefined, event.kind), event.kind === 'quit' ? 'close' : 'go on'),
      millis(0),
    );
  };
  const drain = (): void => {
    for (let event = machine.next(); event !== undefined; event = machine.next()) answer(event);
    said += joined(machine.take()).toString('latin1');
  };
  drain();
  for (const part of cut(text)) {
    machine.receive(Buffer.from(part, 'latin1'), millis(0));
    drain();
  }
  return { said, body, kinds };
}

test('chunks are cut anywhere, and are the same bytes; what they hold is never a command or an end', () => {
  const content = fc.array(fc.constantFrom('\r\n.\r\n', 'QUIT\r\n', 'BDAT 3 LAST\r\n', '\0', '\xff', 'x'), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      fc.array(content, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (contents, cuts) => {
        const chunks = contents.map((each) => each.join(''));
        const bdat = chunks
          .map((chunk, index) => `BDAT ${chunk.length}${index === chunks.length - 1 ? ' LAST' : ''}\r\n${chunk}`)
          .join('');
        const text = `EHLO x\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<c@d>\r\n${bdat}NOOP\r\nQUIT\r\n`;
        const whole = hear(text, (all) => [all]);
        expect(whole.body).toBe(chunks.join(''));
        expect(whole.kinds).toEqual([
          ...['connect', 'ehlo', 'mail', 'rcpt'],
          ...chunks.slice(1).map(() => 'bdat'),
          ...['end-of-data', 'quit', 'gone'],
        ]);
        expect(hear(text, (all) => [...all])).toEqual(whole);
        const atRandom = (all: string): string[] => {
          const parts: string[] = [];
          for (let at = 0, index = 0; at < all.length; index += 1) {
            const size = cuts[index % cuts.length] ?? 1;
            parts.push(all.slice(at, at + size));
            at += size;
          }
          return parts;
        };
        expect(hear(text, atRandom)).toEqual(whole);
      },
    ),
    { numRuns: 60 },
  );
});

test('a client that stops in the middle of a chunk is timed out, one that sends goes on', () => {
  const machine = smtpServer({ offers: { ...serverDefaults.offers, chunking: true }, idle: millis(1000) });
  const drain = (): void => {
    for (let event = machine.next(); event !== undefined; event = machine.next())
      if (event.kind !== 'body' && event.kind !== 'gone')
        machine.say(event.turn, serverWord(reply(250, undefined, 'ok'), 'go on'), millis(0));
  };
  drain();
  machine.receive(Buffer.from('EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 9 LAST\r\nabc'), millis(0));
  drain();
  machine.receive(Buffer.from('def'), millis(900));
  drain();
  expect([machine.state, machine.deadline]).toEqual(['bdat', 1900]);
  machine.expire(millis(1900));
  expect(joined(machine.take()).toString()).toMatch(/421 4\.4\.2 localhost idle timeout\r\n$/);
});
