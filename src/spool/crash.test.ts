import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyStep, type Known, Script, type Step } from '../../test/support/spool-script.ts';
import { CuttingDisk, looked, SETTINGS, Trial } from '../../test/support/spool-trial.ts';
import type { SpoolAddress } from '../message/index.ts';
import type { Disk } from '../world/index.ts';
import { type SimWorld, simWorld } from '../world/sim/index.ts';

/** Opens what a power cut left and holds it against what was promised. */
async function check(known: ReadonlyMap<string, Known>, world: SimWorld): Promise<void> {
  const seen = await world.clock.until(looked(world.disk));
  const trial = await Trial.open({ world, ...SMALL });
  const contents = await trial.contents();
  expect(seen, 'who only reads sees what recovery finds').toEqual(contents);
  for (const [batch, each] of known) {
    const found = contents[batch];
    const where = `${batch} (${each.fate})`;
    const pending = [...known.values()].filter(
      ({ replaces, fate }) => replaces?.batch === batch && fate !== 'refused' && !each.done.has(replaces.recipient),
    );
    if (each.fate === 'kept' && each.done.size + pending.length < each.recipients)
      expect(found, `${where} was acknowledged`).toBeDefined();
    if (each.refusedForSure) expect(found, `${where} must not come back`).toBeUndefined();
    if (each.doneForSure.size === each.recipients) expect(found, `${where} was done`).toBeUndefined();
    if (found) {
      expect(found.body, where).toBe(each.body);
      for (const recipient of each.doneForSure) expect(found.done, where).toContain(recipient);
      if (each.stateForSure > 0) expect(each.states.slice(each.stateForSure - 1), where).toContain(found.state);
    }
    if (each.replaces) {
      const old = contents[each.replaces.batch];
      const gone = old === undefined || old.done.includes(each.replaces.recipient);
      // The new one cannot be done in this script unless it was kept, so its absence before that means it never was.
      if (each.done.size + pending.length === 0)
        expect(gone, `${where} and the recipient it stands for`).toBe(found !== undefined);
    }
  }
  for (const batch of Object.keys(contents)) expect(known.has(batch), `${batch} was never given`).toBe(true);
  expect(trial.diagnostics.filter((line) => /CRITICAL|ERROR/.test(line) && !/damaged/.test(line))).toEqual([]);
  // Whatever it was, the spool works again, and is empty when all is done.
  await trial.commit('after', 'mail of the next day');
  await trial.close();
  const last = await Trial.open({ world, ...SMALL });
  const rest = await last.recovered();
  expect(rest.map(({ envelope }) => envelope.batchId).sort()).toEqual([...Object.keys(contents), 'after'].sort());
  for (const { at, envelope } of rest)
    last.spool.done(
      at,
      envelope.recipients.map((_, i) => i),
    );
  await last.close();
  await (await Trial.open({ world, ...SMALL })).close();
  const empty = await Trial.open({ world, ...SMALL });
  expect(await empty.recovered()).toEqual([]);
  await empty.close();
  expect(world.disk.files().filter((file) => file.endsWith('.eml'))).toEqual([]);
}

const SMALL = {
  segmentBytes: 3000,
  settings: { large_message_threshold: 3000, spool_min_free: 0, max_resident_bytes: 6000 },
} as const;

/** @returns how many operations the script needs when nothing goes wrong before `cutAt`; a second script goes on after the cut */
async function cut(
  steps: readonly Step[],
  cutAt: number,
  seed: number,
  latency: number,
  spoil?: (world: SimWorld) => void,
  then?: { readonly steps: readonly Step[]; readonly cutAt: number },
): Promise<number> {
  const world = simWorld(seed, { diskLatencyMillis: latency });
  const first = await until(steps, cutAt, world, new Map(), spoil);
  if (!then) {
    await check(first.known, first.world);
    return first.operations;
  }
  const second = await until(then.steps, then.cutAt, first.world, first.known);
  await check(second.known, second.world);
  return first.operations;
}

async function until(
  steps: readonly Step[],
  cutAt: number,
  world: SimWorld,
  known: Map<string, Known>,
  spoil?: (world: SimWorld) => void,
): Promise<{ world: SimWorld; known: Map<string, Known>; operations: number }> {
  const disk = new CuttingDisk(world.disk, cutAt);
  try {
    const trial = await Trial.open({ world, disk: disk as Disk, ...SMALL });
    const script = new Script(trial, () => disk.left !== undefined, known);
    spoil?.(world);
    if (known.size > 0) await script.recover();
    if (!disk.left) await script.run(steps);
    await world.clock.advance(200);
  } catch (cause) {
    // Opening may fall into the cut too.
    if (!disk.left) throw cause;
  }
  return { world: { ...world, disk: disk.left ?? world.disk.crash() }, known, operations: disk.operations };
}

const commit = (size: number, recipients = 1, wait = true): Step => ({ kind: 'commit', size, recipients, wait });
const done = (pick: number, recipient = 0): Step => ({ kind: 'done', pick, recipient });
const replace = (pick: number, recipient = 0): Step => ({ kind: 'replace', pick, recipient });
const amend = (pick: number): Step => ({ kind: 'amend', pick, recipient: 0 });
const idle = (pick: number): Step => ({ kind: 'idle', pick });
const FLUSH: Step = { kind: 'flush', pick: 0 };

const SCRIPT: readonly Step[] = [
  commit(500),
  commit(1500, 3, false),
  commit(200, 1, false),
  idle(5),
  done(0),
  amend(0),
  FLUSH,
  commit(4000),
  idle(5),
  replace(0, 1),
  replace(1),
  commit(900, 2, false),
  idle(60),
  done(1, 1),
  commit(100, 1, false),
  done(0),
  commit(100),
  FLUSH,
  ...Array.from({ length: 8 }, () => commit(1200)),
  amend(2),
  done(3),
  done(3),
  done(3),
  done(3),
  done(3),
  FLUSH,
  { kind: 'discard', pick: 5000 },
  commit(5000, 2, false),
  idle(100),
  done(0),
  done(1),
  idle(100),
  commit(300),
  FLUSH,
  idle(3000),
  commit(100),
];

test('the power may be cut in front of any operation of the disk: nothing acknowledged is lost, nothing done comes back', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const operations = await cut(SCRIPT, Infinity, seed, 0);
    expect(operations).toBeGreaterThan(60);
    for (let at = 0; at < operations; at++) await cut(SCRIPT, at, seed * 1000 + at, 0);
  }
}, 120_000);

test('the same with a disk that takes its time, so that writes, deletions and new mail overlap', async () => {
  const operations = await cut(SCRIPT, Infinity, 7, 2);
  for (let at = 0; at < operations; at++) await cut(SCRIPT, at, 7000 + at, 2);
}, 120_000);

test('who is refused because a sync failed once may believe it at once', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const world = simWorld(seed, { diskLatencyMillis: 1 });
    const trial = await Trial.open({ world, ...SMALL });
    await trial.commit('before', 'kept');
    world.disk.fail({ operation: seed % 2 === 0 ? 'sync' : 'write', times: 1 });
    const fates = await world.clock.until(
      Promise.all(Array.from({ length: 5 }, (_, i) => trial.give(`refused${i}`, 'x'.repeat(100)))),
    );
    const left = { ...world, disk: world.disk.crash() };
    expect(fates.map(({ why }) => why?.code)).toEqual(Array(5).fill('IMP_SPOOL_WRITE'));
    const again = await Trial.open({ world: left, ...SMALL });
    expect(Object.keys(await again.contents())).toEqual(['before']);
    await again.close();
  }
});

test('what is acknowledged after force_fsync was switched on is safe, also in a segment that was begun without', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simWorld(seed);
    const trial = await Trial.open({ world, settings: { force_fsync: false } });
    await trial.commit('before', 'as it may be');
    trial.spool.adjust(SETTINGS);
    await trial.commit('after', 'safe');
    const again = await Trial.open({ world: { ...world, disk: world.disk.crash() } });
    expect(Object.keys(await again.contents())).toContain('after');
    await again.close();
  }
});

test('what was moved and is done does not come back by the copy that a broken off compaction has left', async () => {
  const parts = { segmentBytes: 16 * 1024 * 1024, compactionSettleMillis: 1000 };
  const world = simWorld(1);
  const trial = await Trial.open({ world, ...parts });
  const given: SpoolAddress[] = [];
  for (let i = 0; i < 415; i++) given.push(await trial.commit(`m${i}`, `<m${i}>`.padEnd(40_000, '.')));
  const live = (i: number): boolean => i % 5 === 0;
  for (const [i, at] of given.entries()) if (!live(i)) trial.spool.done(at, [0]);
  await trial.flush();
  await trial.commit('last', '.'.repeat(100_000));
  world.disk.fail({ operation: 'read', path: '0000000001.seg', after: 40 });
  trial.spool.done(await trial.commit('next', 'n'), [0]);
  await world.clock.advance(1500);
  expect(trial.diagnostics.join()).toMatch(/cannot compact/);
  const head = world.disk.text(trial.segments()[1]!)!;
  const moved = given.map((_, i) => i).filter((i) => live(i) && head.includes(`<m${i}>`));
  expect(moved.length).toBeGreaterThan(10);
  for (const i of moved) trial.spool.done(given[i]!, [0]);
  await trial.flush();

  const second = { ...world, disk: world.disk.crash() };
  const next = await Trial.open({ world: second, ...parts });
  const rest = (await next.recovered()).length;
  expect(rest).toBe(83 + 1 - moved.length);
  const last = await Trial.open({ world: { ...second, disk: second.disk.crash() }, ...parts });
  expect(await last.recovered()).toHaveLength(rest);
  await last.close();
});

/** Long ones and short ones alike: the trouble is with what outlives a few segments. */
const script = fc.noBias(fc.array(anyStep, { minLength: 5, maxLength: 300, size: 'max' }));
const cutAt = fc.noBias(fc.nat(400));

test('random scripts, random cuts', async () => {
  await fc.assert(
    fc.asyncProperty(script, cutAt, fc.nat(), fc.constantFrom(0, 1, 7), async (steps, at, seed, latency) => {
      await cut(steps, at, seed, latency);
    }),
    { numRuns: 100 },
  );
}, 120_000);

test('random scripts, cut twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      script,
      cutAt,
      script,
      cutAt,
      fc.nat(),
      fc.constantFrom(0, 1),
      async (steps, at, more, again, seed, latency) => {
        await cut(steps, at, seed, latency, undefined, { steps: more, cutAt: again });
      },
    ),
    { numRuns: 100 },
  );
}, 120_000);

test('random scripts on a disk whose writes and syncs fail now and then, cut at the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      script,
      fc.nat(),
      fc.constantFrom(0, 3),
      fc.array(
        fc.record({
          operation: fc.constantFrom(
            'write' as const,
            'sync' as const,
            'open' as const,
            'syncDirectory' as const,
            'remove' as const,
          ),
          after: fc.noBias(fc.nat(100)),
          times: fc.integer({ min: 1, max: 3 }),
        }),
        { maxLength: 4 },
      ),
      async (steps, seed, latency, faults) => {
        const quiet: Step[] = [{ kind: 'idle', pick: 3000 }, FLUSH];
        await cut([...steps, ...quiet], Infinity, seed, latency, (world) => {
          for (const fault of faults) world.disk.fail(fault, 'EIO');
        });
      },
    ),
    { numRuns: 100 },
  );
}, 120_000);
