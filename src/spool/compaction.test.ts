import { expect, test } from 'vitest';
import { readBody, Trial } from '../../test/support/spool-trial.ts';

test('a message that is retried for days pins no more than four times its size', async () => {
  const trial = await Trial.open({ segmentBytes: 20_000 });
  const { world } = trial;
  const old = await trial.commit('old', 'o'.repeat(1000), 3);
  trial.spool.done(old, [1]);
  for (let round = 0; round < 30; round++) {
    const passing = await world.clock.until(
      Promise.all(Array.from({ length: 10 }, (_, i) => trial.give(`p${round}.${i}`, 'p'.repeat(1500)))),
    );
    trial.spool.amend(old, Buffer.from(`try ${round}`));
    for (const { at } of passing) trial.spool.done(at!, [0]);
    await world.clock.advance(100);
  }
  expect(trial.segments().length).toBeLessThanOrEqual(4);
  expect(trial.spool.statistics.receptions).toBe(1);
  trial.spool.swapOut(old);
  expect(await trial.body(old)).toBe('o'.repeat(1000));
  await trial.close();
  const again = await Trial.open({ world });
  expect(await again.contents()).toEqual({ old: { body: 'o'.repeat(1000), done: [1], state: 'try 29' } });
  await again.close();
});

test('new mail flows while it runs, and a reader keeps the bytes it reads', async () => {
  const trial = await Trial.open({ segmentBytes: 20_000, settings: { max_resident_bytes: 0 } });
  const { world } = trial;
  const slow = await trial.commit('slow', 's'.repeat(3000));
  const hold = trial.spool.hold(slow);
  const first = await world.clock.until(Promise.resolve(hold.next(1000)));
  const passing = await world.clock.until(
    Promise.all(Array.from({ length: 60 }, (_, i) => trial.give(`p${i}`, 'p'.repeat(900)))),
  );
  expect(first![0]!.length).toBe(1000);
  for (const { at } of passing.slice(0, 55)) trial.spool.done(at!, [0]);
  const during = trial.give('during', 'd');
  await world.clock.advance(5000);
  expect((await during).at).toBeDefined();
  hold.rewind();
  expect(await world.clock.until(readBody(hold))).toBe('s'.repeat(3000));
  expect(await trial.body(slow)).toBe('s'.repeat(3000));
  await trial.close();
  const again = await Trial.open({ world });
  expect(Object.keys(await again.contents()).sort()).toEqual(
    ['slow', 'during', ...[55, 56, 57, 58, 59].map((i) => `p${i}`)].sort(),
  );
  await again.close();
});

test('a segment is left in peace until most of its mail has had its time', async () => {
  const trial = await Trial.open({ segmentBytes: 5000, compactionSettleMillis: 30_000 });
  const { world } = trial;
  const kept = await trial.commit('kept', 'k');
  for (let i = 0; i < 20; i++) trial.spool.done(await trial.commit(`m${i}`, 'x'.repeat(1000)), [0]);
  await trial.flush();
  const [first] = trial.segments();
  await world.clock.advance(20_000);
  expect(trial.segments()[0]).toBe(first);
  await world.clock.advance(20_000);
  expect(trial.segments()[0]).not.toBe(first);
  expect(await trial.body(kept)).toBe('k');
  await trial.close();
});

test('damage found on the way ends it: the segment stays, and the rest is served', async () => {
  const trial = await Trial.open({ segmentBytes: 5000, compactionSettleMillis: 1000 });
  const { world } = trial;
  const kept = await trial.commit('kept', 'k'.repeat(100));
  const [first] = trial.segments();
  for (let i = 0; i < 8; i++) trial.spool.done(await trial.commit(`m${i}`, 'x'.repeat(1000)), [0]);
  await trial.flush();
  const damaged = Buffer.from(world.disk.text(first!)!, 'latin1');
  damaged[damaged.indexOf('k'.repeat(100)) + 3]! ^= 1;
  world.disk.put(first!, damaged);
  await world.clock.advance(10_000);
  expect(trial.diagnostics.join()).toMatch(/CRITICAL spool: .* is damaged at byte \d+. It is not compacted/);
  expect(trial.segments()[0]).toBe(first);
  expect(await trial.body(kept)).toBe('k'.repeat(100));
  await trial.close();
});

test('small messages that fill more than one buffer of a batch come through a compaction and a restart as they were', async () => {
  const trial = await Trial.open({ segmentBytes: 4 * 1024 * 1024, compactionSettleMillis: 1000 });
  const { world } = trial;
  const given = await world.clock.until(
    Promise.all(Array.from({ length: 4000 }, (_, i) => trial.give(`m${i}`, `body ${i} `.padEnd(600, '.'), 2))),
  );
  for (const [i, { at }] of given.entries()) trial.spool.done(at!, i % 6 === 0 ? [1] : [0, 1]);
  const [first] = trial.segments();
  // The segment is ended, and all that lives in it moves.
  for (let i = 0; i < 3; i++) await trial.commit(`x${i}`, 'x');
  await world.clock.advance(10_000);
  expect(trial.segments()).not.toContain(first);
  await trial.close();
  const again = await Trial.open({ world });
  const contents = await again.contents();
  expect(again.diagnostics).toEqual([]);
  const rest = given.map((_, i) => i).filter((i) => i % 6 === 0);
  expect(Object.keys(contents).filter((batch) => batch.startsWith('m'))).toEqual(rest.map((i) => `m${i}`));
  for (const i of rest) expect(contents[`m${i}`]).toMatchObject({ body: `body ${i} `.padEnd(600, '.'), done: [1] });
  await again.close();
});
