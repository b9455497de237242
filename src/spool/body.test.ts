import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBody, TRAITS } from '../../test/support/spool-trial.ts';
import { joined } from '../base/index.ts';
import { Body } from './body.ts';
import { FilePart, Hold, ViewsPart } from './hold.ts';
import { Residency } from './residency.ts';

test('a body is what was appended, whatever the pieces were', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ length: fc.oneof(fc.nat(40), fc.nat(5000)), around: fc.oneof(fc.constant(0), fc.nat(60_000)) }),
        { maxLength: 60 },
      ),
      (pieces) => {
        const body = new Body();
        const expected: Buffer[] = [];
        for (const [i, { length, around }] of pieces.entries()) {
          const view = Buffer.alloc(length + around, 65 + (i % 26)).subarray(around, around + length);
          expected.push(Buffer.from(view));
          body.append([view]);
        }
        const all = Buffer.concat(expected);
        expect(joined(body.views).equals(all)).toBe(true);
        expect(body.length).toBe(all.length);
        expect(body.crc).toBe(crc32(all));
        // Nothing is pinned that is more than four times what it shows, but for one small block.
        expect(body.cost).toBeLessThanOrEqual(all.length * 4 + 2048);
        const pinned = new Set(body.views.map((view) => view.buffer));
        expect([...pinned].reduce((sum, buffer) => sum + buffer.byteLength, 0)).toBeLessThanOrEqual(body.cost);
      },
    ),
  );
});

test('a client that sends byte by byte makes few views', () => {
  const body = new Body();
  for (let i = 0; i < 100_000; i++) body.append([Buffer.from([i & 0xff])]);
  expect(body.views.length).toBeLessThan(12);
  expect(body.length).toBe(100_000);
});

test('a large view of a buffer of its own is passed on as it is', () => {
  const body = new Body();
  const view = Buffer.allocUnsafeSlow(8000);
  body.append([view]);
  expect(body.views[0]).toBe(view);
});

test('a lease gives slices of the size that was asked for, from memory as from disk, again after a rewind', async () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
  const views = [bytes.subarray(0, 10), bytes.subarray(10, 70_000), bytes.subarray(70_000)];
  const source = { path: 'x', read: async (at: number, length: number) => bytes.subarray(at, at + length) };
  for (const make of [
    () => new ViewsPart(views, bytes.length),
    () => new FilePart(source, 0, bytes.length, crc32(bytes)),
  ]) {
    for (const most of [1_000_000, 65_536, 1000]) {
      const hold = new Hold(TRAITS, [make(), make()], () => undefined);
      expect(hold.length).toBe(400_000);
      const first = await hold.next(most);
      expect(joined(first!).length).toBeLessThanOrEqual(most);
      hold.rewind();
      expect((await readBody(hold, most)).length).toBe(400_000);
      expect(() => hold.next(1)).toThrow('not held');
    }
  }
});

test('a file that ends too early, or cannot be read, is an IMP_SPOOL_READ', async () => {
  const short = new FilePart({ path: 'x', read: async () => new Uint8Array(5) }, 0, 10, undefined);
  await expect(short.next(100)).rejects.toMatchObject({ code: 'IMP_SPOOL_READ' });
  const gone = new FilePart({ path: 'x', read: () => Promise.reject(new Error('EIO')) }, 0, 10, undefined);
  await expect(gone.next(100)).rejects.toMatchObject({ code: 'IMP_SPOOL_READ', cause: expect.any(Error) });
});

function resident(size: number): Body {
  const body = new Body();
  body.append([Buffer.allocUnsafeSlow(size)]);
  return body;
}

test('bodies leave memory least recently used first, by bytes and by count, held ones never', () => {
  const residency = new Residency(3, 10_000);
  const bodies = [0, 1, 2, 3].map(() => resident(2000));
  for (const [slot, body] of bodies.entries()) {
    if (slot === 3) residency.get(0);
    residency.add(slot, body);
  }
  expect(residency.get(1)).toBeUndefined();
  expect(residency.get(0)).toBe(bodies[0]);
  residency.limit(0, 4000);
  expect(residency.bytes).toBe(4000);
  bodies[0]!.holds++;
  residency.limit(0, 0);
  expect(residency.bodies).toBe(1);
  residency.drop(0);
  expect(residency.bodies).toBe(1);
  bodies[0]!.holds--;
  residency.released();
  expect(residency.bodies).toBe(0);
  expect(residency.bytes).toBe(0);
});
