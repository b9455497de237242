import { millis } from '../../../src/base/index.ts';
import { type ClientEvent, MOST_REPLY_BYTES, ReplyReader, SmtpClient } from '../../../src/smtp/index.ts';
import type { Dice } from '../../sim/dice.ts';
import { type Cut, type FuzzTarget, latin, sameWhateverTheCut } from '../target.ts';

const NOW = millis(0);
const REPLIES = [
  '220 peer.test',
  '250-peer.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME',
  '250 2.1.0 ok',
  '250 2.1.5 ok',
  '354 go on',
  '250 2.0.0 taken',
  '221 2.0.0 bye',
  '421 4.3.2 closing',
  '450 4.2.0 later',
  '500 5.5.2 what?',
  '550 5.1.1 no',
  '550-5.1.1 no\r\n550 5.1.1 never',
  '199 x',
  '600 x',
  '250',
  '25',
  '',
] as const;

/** Feeds one line of the peer's after the other: what it says unasked is another conversation than what it says asked. */
function lines(stream: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const lf = stream.indexOf(10, at);
    const end = lf === -1 ? stream.length : lf + 1;
    found.push(stream.subarray(at, end));
    at = end;
  }
  return found;
}

/** @param input  its first byte chooses the settings, the rest is what the peer says */
function deliver(input: Buffer, cut: Cut): string {
  const choice = input[0] ?? 0;
  const machine = new SmtpClient(
    {
      ehloName: 'me.test',
      lmtp: (choice & 1) !== 0,
      plainSmtp: (choice & 3) === 2,
      pipelining: (choice & 4) !== 0,
      tls: {
        use: (['no', 'ifavailable', 'required'] as const)[(choice >> 3) % 3] ?? 'no',
        fallback: true,
        alwaysNewConnection: true,
      },
      timeouts: { ehlo: 1, mailFrom: 1, rcptTo: 1, body: 1, rset: 1 },
    },
    NOW,
  );
  const told: string[] = [];
  const open = new Map<number, number>();
  let begun = 0;
  let over = false;
  const hear = (event: ClientEvent): void => {
    if (over) throw new Error(`${event.kind} after the end`);
    told.push(JSON.stringify(event));
    switch (event.kind) {
      case 'ready': {
        if (begun === 4) return machine.say(event.turn, { kind: 'quit' }, NOW);
        const transaction = ++begun;
        const recipients = Array.from({ length: 1 + (transaction % 3) }, (_, i) => `r${i}@dst.test`);
        open.set(transaction, recipients.length);
        const reversePath = transaction === 2 ? '' : 'a@src.test';
        return machine.say(event.turn, { kind: 'transaction', transaction, reversePath, recipients, size: 100 }, NOW);
      }
      case 'body':
        return machine.say(event.turn, { kind: 'sent' }, NOW);
      case 'settled':
      case 'returned': {
        const recipients = open.get(event.transaction);
        if (recipients === undefined) throw new Error(`transaction ${event.transaction} ended twice`);
        open.delete(event.transaction);
        if (event.kind === 'returned') return;
        if (event.results.length !== recipients) throw new Error('not one result for each recipient');
        for (const { kind, reply } of event.results) {
          const right =
            kind === 'delivered' ? reply.code < 300 : kind === 'failed' ? reply.code >= 500 : reply.code < 500;
          if (!right) throw new Error(`${kind} by ${reply.code}`);
        }
        return;
      }
      case 'over':
        over = true;
    }
  };
  const drain = (): void => {
    for (let event = machine.next(); event !== undefined; event = machine.next()) hear(event);
  };
  let written = '';
  for (const line of lines(input.subarray(1))) {
    for (const part of cut(line)) {
      machine.receive(Buffer.from(part), NOW);
      drain();
      if (machine.buffered > MOST_REPLY_BYTES) throw new Error(`${machine.buffered} bytes are held`);
    }
    for (const view of machine.take()) written += Buffer.from(view).toString('latin1');
  }
  machine.closed();
  drain();
  if (!over) throw new Error('it never ended');
  if (open.size > 0) throw new Error(`transaction ${[...open.keys()][0]} never ended`);
  return `${told.join('\n')}\n${written}`;
}

function peer(dice: Dice): string {
  let text = '220 peer.test\r\n250-peer.test\r\n250-PIPELINING\r\n250 SIZE 1000\r\n';
  for (let count = dice.between(0, 30); count > 0; count--)
    text += `${dice.happens(0.7) ? dice.of(['250 2.0.0 ok', '250 ok', '354 go']) : dice.of(REPLIES)}\r\n`;
  return text;
}

export const client: FuzzTarget = {
  name: 'smtp-client',
  about: 'the sending machine: each transaction ends once, with a result for each recipient that its reply bears out',
  words: [...REPLIES, '\r\n', '\n', '\r', '250-', '\0', '354 ', '421 '],
  generate: (dice) => Buffer.concat([Buffer.of(dice.between(0, 7)), latin(peer(dice))]),
  check: (input) => sameWhateverTheCut(input, (cut) => deliver(input, cut)),
};

function readReplies(input: Buffer, cut: Cut): string {
  const reader = new ReplyReader();
  let read = '';
  for (const part of cut(input)) {
    reader.receive(part);
    for (let said = reader.next(); said !== undefined; said = reader.next()) {
      read += `${JSON.stringify(said)}\n`;
      const text = said.kind === 'reply' ? said.reply.text : said.text;
      if (/[\x00-\x1f\x7f]/.test(text)) throw new Error(`a control character in ${JSON.stringify(text)}`);
      if (text.length > MOST_REPLY_BYTES) throw new Error(`a text of ${text.length} characters`);
    }
    if (reader.buffered > MOST_REPLY_BYTES) throw new Error(`${reader.buffered} bytes are held`);
  }
  return `${read}${reader.midReply}`;
}

export const replies: FuzzTarget = {
  name: 'reply-reader',
  about: "a peer's replies: the same whatever the cut, one line of text, bounded memory",
  words: client.words,
  generate(dice) {
    const text = peer(dice);
    return latin(dice.happens(0.1) ? `250-${'x'.repeat(dice.scale(1, 30_000))}\r\n${text}` : text);
  },
  check: (input) => sameWhateverTheCut(input, (cut) => readReplies(input, cut)),
};
