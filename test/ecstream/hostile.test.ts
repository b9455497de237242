import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joined } from '../../src/base/index.ts';
import {
  bodyFrame,
  byeFrame,
  emptyFrame,
  FrameReader,
  helloFrame,
  messageFrame,
  PREFACE,
  types,
} from '../../src/ecstream/index.ts';
import type { ConnectHost, Pipe } from '../../src/world/index.ts';
import { AT, StreamHouse } from './house.ts';

const envelope = (n: number) => ({
  flags: 0,
  sender: 'a@x.test',
  context: { job: String(n), ec_dedup: `key ${n} `.padEnd(20, '.') },
  recipients: [{ address: `u${n}@y.test`, context: {} }],
});
const text = (n: number): Buffer => Buffer.from(`Subject: ${n}\r\n\r\nmessage ${n}\r\n`);

/** A session of six messages, two of them in parts, as a list of frames. */
const frames: readonly Buffer[] = [
  Buffer.concat([
    Buffer.from(PREFACE),
    helloFrame({ lowest: 1, highest: 1, capabilities: 3, client: 'hostile', host: 'h.test' }),
  ]),
  joined(messageFrame(1, envelope(1), [text(1)], true)),
  joined(messageFrame(2, envelope(2), [], false)),
  joined(bodyFrame(2, [text(2)], true)),
  joined(messageFrame(3, envelope(3), [text(3)], true)),
  emptyFrame(types.flush, 3),
  joined(messageFrame(4, envelope(1), [text(1)], true)),
  joined(messageFrame(5, envelope(5), [text(5).subarray(0, 9)], false)),
  joined(bodyFrame(5, [text(5).subarray(9)], true)),
  joined(messageFrame(6, envelope(6), [text(6)], true)),
  byeFrame(0, 221, ''),
];

class Peer implements ConnectHost {
  readonly #reader = new FrameReader(1_048_576);
  readonly #pipe: Pipe;
  readonly #chunks: readonly Uint8Array[];
  acknowledged = 0;
  isClosed = false;

  constructor(house: StreamHouse, chunks: readonly Uint8Array[]) {
    this.#chunks = chunks;
    this.#pipe = house.world.network.connect(AT, undefined, this);
  }

  opened(): void {
    for (const chunk of this.#chunks) this.#pipe.write([chunk]);
    this.#pipe.write([Buffer.from([0])]);
  }

  data(chunk: Uint8Array): void {
    this.#reader.receive(chunk);
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      if (frame.type === 'too long') throw new Error('the server sent nonsense');
      if (frame.type === types.ack) this.acknowledged += frame.payload.readUInt32BE(0);
    }
  }

  drained(): void {}

  closed(): void {
    this.isClosed = true;
  }
}

const cutIn = (bytes: Buffer, sizes: readonly number[]): readonly Buffer[] => {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
};

test('whatever is done to a session, what is acknowledged is kept, once, and nobody else notices', async () => {
  const order = fc.array(fc.nat(frames.length - 1), { maxLength: 14 });
  const flip = fc.option(fc.tuple(fc.nat(900), fc.nat(255)), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      order,
      flip,
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      async (which, change, sizes) => {
        const house = await StreamHouse.with();
        const bytes = Buffer.concat([frames[0] as Buffer, ...which.map((index) => frames[index] as Buffer)]);
        if (change !== undefined && change[0] < bytes.length) bytes[change[0]] = change[1];
        const peer = new Peer(house, cutIn(bytes, sizes));
        await house.later(400);
        // A repeat of a key is acknowledged and not kept again.
        expect(house.spool.kept.length).toBeLessThanOrEqual(peer.acknowledged);
        expect(new Set(house.spool.kept.map(({ envelope: { context } }) => context.message.ec_dedup)).size).toBe(
          house.spool.kept.length,
        );
        if (change === undefined)
          for (const { body } of house.spool.kept) expect(body).toMatch(/\r\nSubject: (\d)\r\n\r\nmessage \1\r\n$/);
        expect(house.lines.filter((line) => !line.startsWith('INFO'))).toEqual([]);
        expect(house.reception.sessions).toBe(0);
        expect(peer.isClosed).toBe(true);
      },
    ),
    { numRuns: 150 },
  );
});

test('the session as it should be is taken whole, one byte at a time as well', async () => {
  for (const sizes of [[100_000], [1]]) {
    const house = await StreamHouse.with();
    const peer = new Peer(house, cutIn(Buffer.concat(frames as Buffer[]), sizes));
    await house.later(10);
    expect(peer.acknowledged).toBe(6);
    expect(house.spool.kept).toHaveLength(5);
  }
});

test('a message that another connection brings again while half of it is here is kept once, and does not wait', async () => {
  const house = await StreamHouse.with();
  const slow = new Peer(house, [
    frames[0] as Buffer,
    joined(messageFrame(1, envelope(9), [Buffer.from('Subject')], false)),
  ]);
  await house.later(1);
  const quick = new Peer(house, [frames[0] as Buffer, joined(messageFrame(1, envelope(9), [text(9)], true))]);
  await house.later(1);
  expect([slow.acknowledged, quick.acknowledged]).toEqual([0, 1]);
  expect(house.spool.kept).toHaveLength(1);
});
