import { expect, test } from 'vitest';
import { SETTINGS, Trial } from '../../test/support/spool-trial.ts';
import { simWorld } from '../world/sim/index.ts';

const MIB = 1024 * 1024;

test('a full disk is answered with IMP_SPOOL_FULL, and mail flows again when there is room', async () => {
  const world = simWorld(1, { capacity: 200_000 });
  const trial = await Trial.open({ world, settings: { spool_min_free: 10_000 }, segmentBytes: MIB });
  const kept: string[] = [];
  let why: unknown;
  for (let i = 0; i < 40 && !why; i++) {
    const fate = await world.clock.until(trial.give(`m${i}`, 'x'.repeat(8000)));
    if (fate.at === undefined) why = fate.why;
    else kept.push(`m${i}`);
    await world.clock.advance(1100);
  }
  expect(why).toMatchObject({ code: 'IMP_SPOOL_FULL' });
  expect(trial.spool.statistics.full).toBe(true);
  // What is left of the room is for this.
  await trial.flush();
  world.disk.settings.capacity = 2 * MIB;
  await world.clock.advance(1100);
  const at = await trial.commit('after', 'there is room');
  expect(trial.spool.statistics.full).toBe(false);
  expect(await trial.body(at)).toBe('there is room');
  expect(trial.diagnostics.filter((line) => /is full|has room again/.test(line))).toHaveLength(2);
  await trial.close();
  const again = await Trial.open({ world });
  expect(Object.keys(await again.contents())).toEqual([...kept, 'after']);
  await again.close();
});

test('a disk that fills up unseen refuses its batch and keeps what was there', async () => {
  const world = simWorld(1);
  const trial = await Trial.open({ world, settings: { spool_min_free: 0 } });
  const at = await trial.commit('before', 'kept', 2);
  const fault = world.disk.fail({ operation: 'write' }, 'ENOSPC');
  trial.spool.done(at, [1]);
  const fates = await world.clock.until(Promise.all([trial.give('a', 'x'), trial.give('b', 'y')]));
  expect(fates.map(({ why }) => why?.code)).toEqual(['IMP_SPOOL_FULL', 'IMP_SPOOL_FULL']);
  // Flushing tells the truth too.
  await expect(trial.flush()).rejects.toMatchObject({ code: 'IMP_SPOOL_FULL' });
  await world.clock.advance(5000);
  fault[Symbol.dispose]();
  await world.clock.advance(1100);
  await trial.commit('after', 'z');
  await trial.close();
  const again = await Trial.open({ world });
  const contents = await again.contents();
  expect(Object.keys(contents)).toEqual(['before', 'after']);
  expect(contents.before?.done).toEqual([1]);
  await again.close();
});

test('a failed sync is never tried again on the same file: the batch is refused, its notes are repeated elsewhere', async () => {
  const world = simWorld(3);
  const trial = await Trial.open({ world, segmentBytes: MIB });
  const at = await trial.commit('before', 'kept', 2);
  const [first] = trial.segments();
  trial.spool.amend(at, Buffer.from('state'));
  trial.spool.done(at, [0]);
  world.disk.fail({ operation: 'sync', path: first!, times: 1 });
  const { why } = await world.clock.until(trial.give('refused', 'x'));
  expect(why).toMatchObject({ code: 'IMP_SPOOL_WRITE', message: expect.not.stringMatching(/undefined/) });
  const after = await trial.commit('after', 'y');
  expect(trial.segments()).toHaveLength(2);
  expect(trial.diagnostics.filter((line) => line.startsWith('CRITICAL'))).toHaveLength(1);
  expect(await trial.body(after)).toBe('y');
  await trial.close();
  const again = await Trial.open({ world });
  const contents = await again.contents();
  expect(Object.keys(contents)).toEqual(['before', 'after']);
  expect(contents.before).toMatchObject({ done: [0], state: 'state' });
  await again.close();
});

test('a disk that keeps failing is asked once a second, every reception is answered at once, and one line a minute is told', async () => {
  const world = simWorld(1);
  const trial = await Trial.open({ world });
  const at = await trial.commit('before', 'kept', 2);
  world.disk.fail({ operation: ['write', 'open', 'sync'] });
  trial.spool.done(at, [0]);
  const opened = world.disk.done.get('write') ?? 0;
  for (let i = 0; i < 300; i++) {
    const { why } = await world.clock.until(trial.give(`m${i}`, 'x'), 50);
    expect(why?.code).toBe('IMP_SPOOL_WRITE');
    await world.clock.advance(100);
  }
  expect((world.disk.done.get('write') ?? 0) - opened).toBeLessThan(100);
  expect(trial.diagnostics.filter((line) => line.includes('cannot'))).toHaveLength(1);
  expect(trial.spool.statistics.segments).toBeLessThan(5);
  await expect(trial.flush()).rejects.toMatchObject({ code: 'IMP_SPOOL_WRITE' });
  await trial.close();
  expect(trial.diagnostics.at(-1)).toMatch(/CRITICAL spool: the spool closes without its last done and state records/);
});

test('a segment that cannot be made refuses, and the next attempt may succeed', async () => {
  const world = simWorld(1);
  const trial = await Trial.open({ world });
  await trial.commit('one', 'x');
  world.disk.fail({ operation: 'sync', times: 1 });
  const fault = world.disk.fail({ operation: 'open', path: '.seg' }, 'EMFILE');
  expect((await world.clock.until(trial.give('two', 'x'))).why?.code).toBe('IMP_SPOOL_WRITE');
  fault[Symbol.dispose]();
  await world.clock.advance(2000);
  await trial.commit('three', 'x');
  await trial.close();
  const again = await Trial.open({ world });
  expect(Object.keys(await again.contents())).toEqual(['one', 'three']);
  await again.close();
});

test('no batch waits for the next segment: it is made ready before', async () => {
  const world = simWorld(1, { diskLatencyMillis: 1 });
  const trial = await Trial.open({ world, segmentBytes: 30_000 });
  const syncs = world.disk.done.get('sync') ?? 0;
  for (let i = 0; i < 40; i++) {
    const before = world.clock.now();
    await trial.commit(`m${i}`, 'x'.repeat(5000));
    // One write, one sync, and never the sync of a directory between.
    expect(world.clock.now() - before).toBeLessThanOrEqual(2);
  }
  expect(trial.segments().length).toBeGreaterThan(4);
  // Each full one has got its index, beside all that.
  expect((world.disk.done.get('sync') ?? 0) - syncs).toBeGreaterThan(40);
  await trial.close();
});

test('settings change while it runs', async () => {
  const trial = await Trial.open();
  await trial.commit('one', 'x'.repeat(2000));
  trial.spool.adjust({ ...SETTINGS, max_resident_bytes: 0, large_message_threshold: 10, force_fsync: false });
  expect(trial.spool.statistics.residentBodies).toBe(0);
  const { syncs } = trial.spool.statistics;
  const at = await trial.commit('two', 'a body over ten bytes');
  expect(trial.spool.statistics.syncs).toBe(syncs);
  expect(trial.world.disk.files().filter((file) => file.endsWith('.eml'))).toHaveLength(1);
  expect(await trial.body(at)).toBe('a body over ten bytes');
  await trial.close();
});
