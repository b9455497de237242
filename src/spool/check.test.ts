import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { BASE, Trial } from '../../test/support/spool-trial.ts';
import type { SimDisk } from '../world/sim/index.ts';
import { checkSpool, type SpoolReport } from './check.ts';

/** Six messages in a sealed segment. */
async function left(): Promise<{ disk: SimDisk; path: string; bytes: Buffer }> {
  const trial = await Trial.open();
  for (let i = 0; i < 6; i++) await trial.commit(`m${i}`, `m${i}`.padEnd(300, '.'));
  await trial.close();
  const [path] = trial.segments();
  const { disk } = trial.world;
  return { disk, path: path!, bytes: Buffer.from(disk.text(path!)!, 'latin1') };
}

/** The segment as a server leaves it that was killed. */
function unsealed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.lastIndexOf(Buffer.from('m5'.padEnd(300, '.'))) + 300));
}

const totals = ({ scanned, ok, metaFailures, bodyFailures, orphans }: SpoolReport): readonly number[] => [
  scanned,
  ok,
  metaFailures,
  bodyFailures,
  orphans,
];

test('a clean spool: every recipient that waits is counted, the finished ones are not', async () => {
  const trial = await Trial.open({ settings: { large_message_threshold: 1000 } });
  const first = await trial.commit('m1', 'one', 3);
  trial.spool.done(first, [0]);
  await trial.world.clock.advance(1000);
  const second = await trial.commit('m2', 'two');
  await trial.commit('m3', 'x'.repeat(5000));
  trial.spool.done(second, [0]);
  await trial.flush();
  const report = await checkSpool(trial.world.disk, BASE);
  expect(totals(report)).toEqual([3, 3, 0, 0, 0]);
  expect(report).toMatchObject({ failures: [], oldest: { id: 'm1.1' }, newest: { id: 'm3.0' } });
  await trial.close();
  expect(totals(await checkSpool(trial.world.disk, BASE))).toEqual([3, 3, 0, 0, 0]);
});

test('a damaged body is a body failure with the id of its message, sealed or not', async () => {
  const { disk, path, bytes } = await left();
  for (const whole of [bytes, unsealed(bytes)]) {
    const damaged = Buffer.from(whole);
    damaged[damaged.indexOf('m2'.padEnd(300, '.')) + 50]! ^= 1;
    disk.put(path, damaged);
    const report = await checkSpool(disk, BASE);
    expect(totals(report)).toEqual([6, 5, 0, 1, 0]);
    expect(report.failures).toEqual([{ id: 'm2.0', kind: 'body', reason: expect.stringContaining(path) }]);
  }
});

test('a damaged record is a meta failure: with its id where an index has it, else with its place', async () => {
  const { disk, path, bytes } = await left();
  for (const [whole, id] of [[bytes, 'm2.0'] as const, [unsealed(bytes), /^L0\/0000000001\.seg:\d+$/] as const]) {
    const damaged = Buffer.from(whole);
    damaged[damaged.indexOf('"m2"')]! ^= 1;
    disk.put(path, damaged);
    const report = await checkSpool(disk, BASE);
    expect(totals(report)).toEqual([6, 5, 1, 0, 0]);
    expect(report.failures[0]?.id).toMatch(id);
  }
});

test('a torn tail was never acknowledged, and is no failure', async () => {
  const { disk, path, bytes } = await left();
  const whole = unsealed(bytes);
  for (const cut of [1, 20, 100, 299]) {
    disk.put(path, whole.subarray(0, whole.length - cut));
    expect(totals(await checkSpool(disk, BASE))).toEqual([5, 5, 0, 0, 0]);
  }
});

test('damage anywhere is never overlooked among records, and takes no more than one message with it', async () => {
  const { disk, path, bytes } = await left();
  const records = unsealed(bytes).length;
  for (const whole of [bytes, unsealed(bytes)]) {
    for (let at = 0; at < whole.length; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0xff;
      disk.put(path, damaged);
      const { ok, scanned, failures } = await checkSpool(disk, BASE);
      expect(ok, `at ${at}`).toBeGreaterThanOrEqual(5);
      expect(ok + failures.length).toBe(scanned);
      // The last record of an unsealed segment is taken for a torn tail.
      const last = whole.length === records && at >= whole.lastIndexOf(Buffer.from('m4')) + 300;
      if (at >= 40 && at < records && !last) expect(failures.length, `at ${at}`).toBe(1);
    }
  }
});

test('bodies in files of their own: gone, shorter, longer, changed, and such that nobody names', async () => {
  const trial = await Trial.open({ settings: { large_message_threshold: 1000 } });
  for (let i = 0; i < 5; i++) await trial.commit(`m${i}`, `m${i}`.padEnd(5000, '.'));
  await trial.close();
  const { disk } = trial.world;
  const files = disk.files().filter((file) => file.endsWith('.eml'));
  const [gone, shorter, longer, changed] = files;
  const text = disk.text(changed!)!;
  disk.put(`${BASE}/L0/large/0000000077-0000000001.eml`, 'left by a crash');
  await disk.remove(gone!);
  disk.put(shorter!, text.slice(0, 100));
  disk.put(longer!, `${disk.text(longer!)}more`);
  disk.put(changed!, text.replace('.', ','));
  const report = await checkSpool(disk, BASE);
  expect(totals(report)).toEqual([5, 1, 0, 4, 1]);
  expect(report.failures.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('cannot be opened'),
    expect.stringContaining('before the body does'),
    expect.stringContaining('is longer than its record says'),
    expect.stringContaining('its sum is wrong'),
  ]);
});

test('segments that hold nothing of ours, or are newer, or cannot be read are meta failures with their place', async () => {
  const { disk, bytes } = await left();
  disk.put(`${BASE}/L0/0000000050.seg`, 'this was never a segment '.repeat(20));
  disk.put(`${BASE}/L0/0000000051.seg`, bytes);
  disk.fail({ operation: 'open', path: '51.seg' });
  const newer = Buffer.from(bytes);
  newer[12] = 2;
  newer.writeUInt32LE(crc32(newer.subarray(0, 36)), 36);
  disk.put(`${BASE}/L0/0000000052.seg`, newer);
  const report = await checkSpool(disk, BASE);
  expect(totals(report)).toEqual([9, 6, 3, 0, 0]);
  expect(report.failures.map(({ id }) => id).sort()).toEqual([50, 51, 52].map((each) => `L0/00000000${each}.seg:0`));
});
