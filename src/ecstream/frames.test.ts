import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { reply } from '../smtp/index.ts';
import { NO_VALUES } from './envelope.ts';
import { FrameReader } from './frame-reader.ts';
import {
  ackFrame,
  bodyFrame,
  byeFrame,
  emptyFrame,
  helloFrame,
  messageFrame,
  PREFACE,
  replyFrame,
  types,
  welcomeFrame,
  windowFrame,
} from './frames.ts';
import { ecstreamTargets } from './fuzz-target.ts';
import { readAck, readBye, readHello, readMessage, readReply, readWelcome, readWindow } from './payloads.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const payloadOf = (frame: Buffer): Buffer => frame.subarray(12);

/** The vectors of the specification, section 6. */
const vectors = {
  hello: hex('00000013 01 00 0000 00000000 01 01 0000 00000001 0001 74 0006 632e74657374'),
  welcome: hex(
    '00000024 02 00 0000 00000000 01 00 03e8 00000001 00100000 03200000 00000100 01000000 0005 0000 0006 6d2e74657374',
  ),
  message: hex(
    '0000004c 10 01 0000 00000001 00 00 0002 0008 6140782e74657374 0001 0003 6a6f62 00000001 37 0008 6240792e74657374 0000 0008 6340792e74657374 0001 0001 6b 00000001 76 5375626a6563743a20740d0a0d0a68690d0a',
  ),
  begun: hex('00000020 10 00 0000 00000002 01 00 0001 0000 0000 0008 6440792e74657374 0000 5375626a6563743a20750d0a'),
  body: hex('00000005 11 01 0000 00000002 0d0a2e0d0a'),
  flush: hex('00000000 31 00 0000 00000002'),
  reply: hex('00000018 21 00 0000 00000001 0001 0226 05 00 0001 0001 000c 6e6f20737563682075736572'),
  ack: hex('00000004 20 00 0000 00000002 00000002'),
  window: hex('00000008 30 00 0000 00000000 00000000 00000000'),
  bye: hex('00000013 51 00 0000 00000002 01a5 000f 342e332e322072656c6f6164696e67'),
};
const hello = { lowest: 1, highest: 1, capabilities: 1, client: 't', host: 'c.test' };
const welcome = {
  version: 1,
  auth: false,
  maxRecipients: 1000,
  capabilities: 1,
  maxFrame: 1_048_576,
  maxMessage: 52_428_800,
  windowMessages: 256,
  windowBytes: 16_777_216,
  ackMillis: 5,
  host: 'm.test',
};
const first = {
  flags: 0,
  sender: 'a@x.test',
  context: { job: '7' },
  recipients: [
    { address: 'b@y.test', context: NO_VALUES },
    { address: 'c@y.test', context: { k: 'v' } },
  ],
};
const second = { flags: 1, sender: '', context: NO_VALUES, recipients: [{ address: 'd@y.test', context: NO_VALUES }] };
const text = (body: string): Buffer => Buffer.from(body, 'latin1');

describe('the vectors of the specification', () => {
  test('are what we write', () => {
    expect(Buffer.from(PREFACE).toString('hex')).toBe('894543530d0a1a0a');
    expect(helloFrame(hello)).toEqual(vectors.hello);
    expect(welcomeFrame(welcome)).toEqual(vectors.welcome);
    expect(joined(messageFrame(1, first, [text('Subject: t\r\n\r\nhi\r\n')], true))).toEqual(vectors.message);
    expect(joined(messageFrame(2, second, [text('Subject: u\r\n')], false))).toEqual(vectors.begun);
    expect(joined(bodyFrame(2, [text('\r\n.\r\n')], true))).toEqual(vectors.body);
    expect(emptyFrame(types.flush, 2)).toEqual(vectors.flush);
    expect(replyFrame(1, 1, reply(550, '5.1.1', 'no such user'))).toEqual(vectors.reply);
    expect(ackFrame(2, 2)).toEqual(vectors.ack);
    expect(windowFrame(0, 0)).toEqual(vectors.window);
    expect(byeFrame(2, 421, '4.3.2 reloading')).toEqual(vectors.bye);
  });

  test('are read as what they say', () => {
    expect(readHello(payloadOf(vectors.hello))).toEqual(hello);
    expect(readWelcome(payloadOf(vectors.welcome))).toEqual(welcome);
    const { envelope, body } = readMessage(payloadOf(vectors.message));
    expect({ ...envelope, context: { ...envelope.context } }).toMatchObject({ ...first, recipients: [{}, {}] });
    expect(envelope.recipients.map(({ address, context }) => [address, { ...context }])).toEqual([
      ['b@y.test', {}],
      ['c@y.test', { k: 'v' }],
    ]);
    expect(body.toString()).toBe('Subject: t\r\n\r\nhi\r\n');
    expect(readMessage(payloadOf(vectors.begun)).envelope).toEqual(second);
    expect(readReply(payloadOf(vectors.reply))).toEqual({ index: 1, reply: reply(550, '5.1.1', 'no such user') });
    expect(readAck(payloadOf(vectors.ack), false)).toEqual({ accepted: 2, ids: [] });
    expect(readWindow(payloadOf(vectors.window))).toEqual({ messages: 0, bytes: 0 });
    expect(readBye(payloadOf(vectors.bye))).toEqual({ code: 421, text: '4.3.2 reloading' });
  });

  test('bytes behind the defined payload are ignored', () => {
    const longer = Buffer.concat([payloadOf(vectors.welcome), Buffer.from('later')]);
    expect(readWelcome(longer)).toEqual(welcome);
  });
});

describe('the reader of frames', () => {
  const all = Buffer.concat(Object.values(vectors));

  test('cut anywhere, gives the frames that stand in the bytes', () => {
    const cutAt = (cuts: readonly number[]): readonly string[] => {
      const reader = new FrameReader(1_048_576);
      const frames: string[] = [];
      let from = 0;
      for (const cut of [...cuts, all.length]) {
        reader.receive(Buffer.from(all.subarray(from, cut)));
        from = cut;
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          if (frame.type === 'too long') throw new Error('too long');
          frames.push(`${frame.type} ${frame.flags} ${frame.seq} ${frame.payload.toString('hex')}`);
        }
      }
      expect(reader.buffered).toBe(0);
      return frames;
    };
    const whole = cutAt([]);
    expect(whole).toHaveLength(10);
    expect(cutAt(Array.from({ length: all.length }, (_, at) => at))).toEqual(whole);
    for (let at = 1; at < all.length; at++) expect(cutAt([at])).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(all.length)), (cuts) => {
        expect(cutAt(cuts.sort((one, other) => one - other))).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  test('a length beyond the limit is told as soon as the header is there', () => {
    const reader = new FrameReader(1_048_576);
    reader.receive(hex('00200000 10 01 0000 00000001'));
    expect(reader.next()).toEqual({ type: 'too long', length: 2_097_152 });
  });

  test('a frame that claims much and brings little takes little memory', () => {
    const reader = new FrameReader(1_048_576);
    reader.receive(hex('00100000 10 01 0000 00000001'));
    expect(reader.next()).toBeUndefined();
    expect(reader.buffered).toBe(12);
  });
});

describe('whatever a peer sends', () => {
  const session = Buffer.concat([Buffer.from(PREFACE), ...Object.values(vectors)]);

  test.each(ecstreamTargets.map((target) => [target.name, target] as const))(
    '%s neither throws nor keeps more than it was given',
    (_name, target) => {
      const start = target.name.includes('client') ? vectors.welcome : session;
      fc.assert(
        fc.property(
          fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }),
          fc.nat(start.length),
          fc.nat(start.length - 1),
          fc.nat(255),
          (junk, cut, at, byte) => {
            const changed = Buffer.from(start);
            changed[at] = byte;
            for (const first of [[], [start.subarray(0, cut)], [changed]]) {
              const given = [...first, ...junk];
              const bytes = given.reduce((sum, chunk) => sum + chunk.length, 0);
              expect(target.run(given)).toBeLessThanOrEqual(bytes);
            }
          },
        ),
        { numRuns: 500 },
      );
    },
  );

  test('lengths of every field may be wrong', () => {
    for (const target of ecstreamTargets) {
      for (let at = 0; at < session.length; at++) {
        for (const byte of [0x00, 0x7f, 0xff]) {
          const changed = Buffer.from(session);
          changed[at] = byte;
          target.run([changed]);
        }
      }
    }
    expect(millis(0)).toBe(0);
  });
});
