import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FrameError,
  FrameReader,
  frame,
  frameKinds,
  helloFrame,
  maxPayload,
  protocolVersion,
  readHello,
  textFrame,
} from './frames.ts';

const all = (reader: FrameReader): [number, string][] => {
  const found: [number, string][] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next())
    found.push([next.kind, next.payload.toString('latin1')]);
  return found;
};

test('frames are the same whole, byte by byte, and cut at random', () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(...Object.values(frameKinds)), fc.uint8Array({ maxLength: 300 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(frames, fc.array(fc.nat({ max: 2000 })), (wanted, cuts) => {
      const bytes = Buffer.concat(wanted.flatMap(([kind, payload]) => frame(kind, payload)));
      const expected = wanted.map(([kind, payload]) => [kind, Buffer.from(payload).toString('latin1')]);
      for (const at of [
        [],
        [...bytes.keys()],
        cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other),
      ]) {
        const reader = new FrameReader();
        const found: [number, string][] = [];
        let from = 0;
        for (const to of [...at, bytes.length]) {
          reader.receive(bytes.subarray(from, to));
          found.push(...all(reader));
          from = to;
        }
        expect(found).toEqual(expected);
        expect(reader.buffered).toBe(0);
      }
    }),
  );
});

test('the largest frame passes, one byte more and an empty frame are errors', () => {
  const reader = new FrameReader();
  reader.receive(Buffer.concat(frame(frameKinds.request, Buffer.alloc(maxPayload, 0x61))));
  expect(reader.next()?.payload.length).toBe(maxPayload);
  reader.receive(Buffer.concat(frame(frameKinds.request, Buffer.alloc(maxPayload + 1))).subarray(0, 5));
  expect(() => reader.next()).toThrow(FrameError);
  const empty = new FrameReader();
  empty.receive(Buffer.alloc(4));
  expect(() => empty.next()).toThrow(FrameError);
});

test('a hello is read back, and what is none is told apart', () => {
  const hello = { protocol: protocolVersion, product: 'impetus', version: '1', host: 'mx' };
  const reader = new FrameReader();
  reader.receive(Buffer.concat(helloFrame(hello)));
  expect(readHello(reader.next()?.payload ?? Buffer.alloc(0))).toEqual(hello);
  for (const wrong of ['', '{', 'null', '7', '{"protocol":"1"}', '{"protocol":1,"product":1}'])
    expect(readHello(Buffer.from(wrong))).toBeUndefined();
  expect(textFrame(frameKinds.bye, '')).toHaveLength(1);
});
