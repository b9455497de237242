import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { reply } from '../smtp/index.ts';
import { NO_VALUES } from './envelope.ts';
import { FrameReader } from './frame-reader.ts';
import {
  authFrame,
  bodyFrame,
  byeFrame,
  capabilities,
  crcOf,
  emptyFrame,
  helloFrame,
  messageFrame,
  PREFACE,
  pingFrame,
  types,
} from './frames.ts';
import { FUZZ_SETTINGS } from './fuzz-target.ts';
import { readAck, readBye, readReply } from './payloads.ts';
import { EcstreamServer } from './server.ts';
import type { EcstreamServerSettings } from './server-events.ts';

const envelope = {
  flags: 0,
  sender: 'a@x.test',
  context: NO_VALUES,
  recipients: [{ address: 'b@y.test', context: NO_VALUES }],
};
const opening = (wanted: number): Buffer =>
  Buffer.concat([
    Buffer.from(PREFACE),
    helloFrame({ lowest: 1, highest: 1, capabilities: wanted, client: 't', host: 'c.test' }),
  ]);
const message = (seq: number, body = 'hi\r\n'): Buffer =>
  joined(messageFrame(seq, envelope, [Buffer.from(body)], true));

/** A server that takes everything at once. */
class Taker {
  now = millis(0);
  readonly server: EcstreamServer;
  readonly heard: string[] = [];
  readonly bodies: string[] = [];
  holds = false;
  readonly said: Buffer[] = [];

  constructor(settings: Partial<EcstreamServerSettings> = {}) {
    this.server = new EcstreamServer({ ...FUZZ_SETTINGS, ...settings }, this.now);
  }

  feed(bytes: Uint8Array): this {
    this.server.receive(bytes);
    return this.go();
  }

  go(): this {
    const { server } = this;
    for (let event = server.next(this.now); event !== undefined; event = server.next(this.now)) {
      if (event.kind === 'hello') server.welcome();
      if (event.kind === 'message' || event.kind === 'body') {
        if (event.kind === 'message') this.bodies.push('');
        this.bodies.push(`${this.bodies.pop()}${Buffer.from(event.body).toString('latin1')}`);
        this.heard.push(`${event.kind} ${event.seq}${event.end ? ' end' : ''}${event.damaged ? ' damaged' : ''}`);
        if (event.end && !this.holds) server.accept(event.seq, `id${event.seq}`);
      } else this.heard.push(event.kind);
    }
    server.acknowledge();
    this.said.push(...(server.take() as Buffer[]));
    return this;
  }

  /** What was said, in words. */
  get words(): string[] {
    const reader = new FrameReader(1_048_576);
    for (const each of this.said) reader.receive(each);
    const words: string[] = [];
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if (frame.type === 'too long') throw new Error('too long');
      const { type, seq, payload } = frame;
      if (type === types.ack) words.push(`ACK ${seq} ${readAck(payload, false).accepted}`);
      else if (type === types.reply) words.push(`REPLY ${seq} ${readReply(payload).reply.code}`);
      else if (type === types.bye) words.push(`BYE ${seq} ${readBye(payload).code}`);
      else words.push(String(Object.entries(types).find(([, value]) => value === type)?.[0]));
    }
    return words;
  }
}

test('messages are handed out with their bodies, and acknowledged together', () => {
  const taker = new Taker().feed(
    Buffer.concat([opening(0), message(1, 'one'), message(2, 'two'), message(3, 'three')]),
  );
  expect(taker.heard).toEqual(['hello', 'message 1 end', 'message 2 end', 'message 3 end']);
  expect(taker.bodies).toEqual(['one', 'two', 'three']);
  expect(taker.words).toEqual(['welcome', 'ACK 3 3']);
});

test('cut at every byte or at random, a conversation is the same', () => {
  const all = Buffer.concat([
    opening(0),
    message(1),
    joined(messageFrame(2, envelope, [Buffer.from('part ')], false)),
    joined(bodyFrame(2, [Buffer.from('two')], false)),
    pingFrame(types.ping, Buffer.from('12345678')),
    joined(bodyFrame(2, [Buffer.from('.')], true)),
    Buffer.from('0000000361000000000000004142 43'.replace(' ', ''), 'hex'),
    emptyFrame(types.flush, 2),
    message(3),
    byeFrame(0, 221, ''),
  ]);
  const whole = new Taker().feed(all);
  expect(whole.heard).toEqual([
    'hello',
    'message 1 end',
    'message 2',
    'body 2',
    'body 2 end',
    'flush',
    'message 3 end',
  ]);
  const acknowledged = (taker: Taker): number =>
    taker.words.reduce((sum, word) => sum + Number(/^ACK \d+ (\d+)/.exec(word)?.[1] ?? 0), 0);
  const same = (taker: Taker): void => {
    expect(taker.heard).toEqual(whole.heard);
    expect(taker.bodies).toEqual(whole.bodies);
    expect(acknowledged(taker)).toBe(3);
    expect(taker.words.at(-1)).toBe('BYE 3 221');
    expect(taker.server.closed).toBe(true);
  };
  same(whole);
  const bytes = new Taker();
  for (const byte of all) bytes.feed(Buffer.from([byte]));
  same(bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const taker = new Taker();
      let at = 0;
      for (let i = 0; at < all.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        taker.feed(Buffer.from(all.subarray(at, at + size)));
        at += size;
      }
      same(taker);
    }),
    { numRuns: 100 },
  );
});

describe('a breach of the protocol', () => {
  const zeroRecipients = message(1);
  zeroRecipients.writeUInt16BE(0, 14);
  const hugeContext = message(1);
  hugeContext.writeUInt16BE(0xffff, 26);
  test.each<readonly [string, Buffer, string]>([
    ['a frame that is too long', Buffer.from('002000001001000000000001', 'hex'), 'BYE 0 552'],
    ['a repeated number', Buffer.concat([message(1), message(1)]), 'BYE 1 503'],
    ['a gap in the numbers', Buffer.concat([message(1), message(3)]), 'BYE 1 503'],
    ['no recipients', zeroRecipients, 'BYE 0 501'],
    ['more context values than the frame can hold', hugeContext, 'BYE 0 501'],
    ['BODY without MESSAGE', joined(bodyFrame(1, [], true)), 'BYE 0 503'],
    [
      'MESSAGE within a message',
      Buffer.concat([joined(messageFrame(1, envelope, [], false)), message(2)]),
      'BYE 0 503',
    ],
    [
      'FLUSH within a message',
      Buffer.concat([joined(messageFrame(1, envelope, [], false)), emptyFrame(types.flush, 1)]),
      'BYE 0 503',
    ],
    ['an unknown frame', emptyFrame(0x7, 0), 'BYE 0 503'],
    ['HELLO again', opening(0).subarray(8), 'BYE 0 503'],
    ['AUTH that nobody wants', emptyFrame(types.auth, 0), 'BYE 0 503'],
    ['a deflated part that was not agreed upon', deflated(1), 'BYE 0 501'],
  ])('%s gets a BYE, after what was kept was acknowledged', (_what, bytes, bye) => {
    const taker = new Taker().feed(Buffer.concat([opening(0), bytes]));
    expect(taker.words.at(-1)).toBe(bye);
    expect(taker.server.closed).toBe(true);
    if (bye.startsWith('BYE 1')) expect(taker.words).toContain('ACK 1 1');
    // Deaf from now on.
    expect(taker.feed(message(2)).words.at(-1)).toBe(bye);
  });

  test('waits for the disk with its BYE', () => {
    const taker = new Taker();
    taker.holds = true;
    taker.feed(Buffer.concat([opening(0), message(1), message(1)]));
    expect(taker.words).toEqual(['welcome']);
    expect(taker.server.closed).toBe(false);
    taker.server.accept(1, 'id');
    expect(taker.go().words).toEqual(['welcome', 'ACK 1 1', 'BYE 1 503']);
  });

  test('a client of another protocol gets silence', () => {
    const taker = new Taker().feed(Buffer.from('E'));
    expect(taker.server.closed).toBe(true);
    expect(taker.said).toEqual([]);
  });

  test('a version that we do not speak gets 505', () => {
    const strange = helloFrame({ lowest: 2, highest: 3, capabilities: 0, client: '', host: '' });
    expect(new Taker().feed(Buffer.concat([Buffer.from(PREFACE), strange])).words).toEqual(['BYE 0 505']);
  });
});

test('a login is answered before anything behind it is looked at, another login least of all', () => {
  const taker = new Taker({ auth: true });
  taker.feed(Buffer.concat([opening(0), ...[1, 2, 3, 4].map(() => authFrame(1, Buffer.from('guess'))), message(1)]));
  for (let failed = 1; failed <= 3; failed++) {
    expect(taker.heard).toEqual(['hello', ...Array.from({ length: failed }, () => 'auth')]);
    taker.server.notAuthenticated(reply(535, '5.7.8', 'no'));
    taker.go();
  }
  expect(taker.heard).toHaveLength(4);
  expect(taker.server.closed).toBe(true);
});

function deflated(seq: number): Buffer {
  return joined(messageFrame(seq, envelope, [Buffer.from('x')], true, { deflate: true, crc: undefined }));
}

describe('results', () => {
  test('come in any order; an ACK goes as far as everything before it is resolved', () => {
    const taker = new Taker();
    taker.holds = true;
    taker.feed(Buffer.concat([opening(0), message(1), message(2), message(3)]));
    taker.server.accept(3, 'c');
    taker.server.refuse(2, reply(550, '5.7.1', 'no'));
    expect(taker.go().words).toEqual(['welcome', 'REPLY 2 550']);
    taker.server.accept(1, 'a');
    expect(taker.go().words).toEqual(['welcome', 'REPLY 2 550', 'ACK 3 2']);
  });

  test('a client that overruns its window waits, and nothing is lost', () => {
    const taker = new Taker({ windowMessages: 2 });
    taker.holds = true;
    taker.feed(Buffer.concat([opening(0), ...[1, 2, 3, 4, 5].map((seq) => message(seq))]));
    expect(taker.heard).toEqual(['hello', 'message 1 end', 'message 2 end']);
    for (const seq of [1, 2, 3, 4, 5]) {
      taker.server.accept(seq, 'x');
      taker.go();
    }
    expect(taker.heard).toHaveLength(6);
    expect(taker.words.at(-1)).toBe('ACK 5 1');
  });

  test('at a shutdown the server names the last message that it has taken, and still resolves it', () => {
    const taker = new Taker();
    taker.holds = true;
    taker.feed(Buffer.concat([opening(0), message(1), joined(messageFrame(2, envelope, [], false))]));
    taker.server.dismiss(421, '4.3.2 reloading');
    expect(taker.go().words).toEqual(['welcome', 'BYE 1 421']);
    expect(taker.heard.at(-1)).toBe('cut');
    taker.server.accept(1, 'x');
    expect(taker.go().words).toEqual(['welcome', 'BYE 1 421', 'ACK 1 1']);
    expect(taker.server.closed).toBe(true);
  });
});

describe('time', () => {
  test('who says nothing is gone after ten seconds without a word, after HELLO with 421 when idle', () => {
    const silent = new Taker();
    silent.server.expire(millis(10_000));
    expect(silent.server.closed).toBe(true);
    const idle = new Taker({ idle: 5000 }).feed(opening(0));
    idle.server.expire(millis(4999));
    expect(idle.server.closed).toBe(false);
    idle.server.expire(millis(5000));
    expect(idle.go().words).toEqual(['welcome', 'BYE 0 421']);
  });

  test('who waits for our disk is not idle; who stops within a message is', () => {
    const waiting = new Taker({ idle: 5000 });
    waiting.holds = true;
    waiting.feed(Buffer.concat([opening(0), message(1)]));
    expect(waiting.server.deadline).toBeUndefined();
    const halted = new Taker({ idle: 5000 }).feed(
      Buffer.concat([opening(0), joined(messageFrame(1, envelope, [], false))]),
    );
    halted.server.expire(millis(5000));
    expect(halted.go().words).toEqual(['welcome', 'BYE 0 421']);
  });
});

describe('what was agreed upon', () => {
  const body = Buffer.from('Subject: x\r\n\r\nhello hello hello hello\r\n');

  test('a deflated body comes out as it was, in parts as well', () => {
    const coding = { deflate: true, crc: undefined };
    const taker = new Taker().feed(
      Buffer.concat([
        opening(capabilities.deflate),
        joined(messageFrame(1, envelope, [body.subarray(0, 10)], false, coding)),
        joined(bodyFrame(1, [body.subarray(10)], true, coding)),
      ]),
    );
    expect(taker.bodies).toEqual([body.toString()]);
  });

  test('a body that would become too long is refused', () => {
    const bomb = deflateRawSync(Buffer.alloc(20_000_000));
    const frame = joined(messageFrame(1, envelope, [bomb], true));
    frame[5] = 3;
    const taker = new Taker().feed(Buffer.concat([opening(capabilities.deflate), frame]));
    expect(taker.words.at(-1)).toBe('BYE 0 552');
  });

  test('with CRC a changed byte is noticed, and an unchanged body is not', () => {
    const coding = { deflate: false, crc: crcOf([body]) };
    const good = joined(messageFrame(1, envelope, [body], true, coding));
    const bad = joined(messageFrame(2, envelope, [body], true, coding));
    bad[bad.length - 10] = 0x41;
    const taker = new Taker().feed(Buffer.concat([opening(capabilities.crc), good, bad]));
    expect(taker.heard).toEqual(['hello', 'message 1 end', 'message 2 end damaged']);
    expect(taker.bodies[0]).toBe(body.toString());
  });
});
