import { expect, test } from 'vitest';
import { BASE, envelope, type Fate, readBody, TRAITS, Trial, told } from '../../test/support/spool-trial.ts';
import { simWorld } from '../world/sim/index.ts';

test('a reception is kept, read back from memory and from disk, and gone when its recipient is done', async () => {
  const trial = await Trial.open();
  const at = await trial.commit('one', 'Subject: x\r\n\r\nbody\r\n');
  expect(await trial.body(at)).toBe('Subject: x\r\n\r\nbody\r\n');
  expect(trial.spool.statistics).toMatchObject({ receptions: 1, residentBodies: 1, syncs: 1 });
  trial.spool.swapOut(at);
  expect(trial.spool.statistics.residentBodies).toBe(0);
  expect(await trial.body(at)).toBe('Subject: x\r\n\r\nbody\r\n');
  trial.spool.done(at, [0]);
  expect(() => trial.spool.hold(at)).toThrow('names no live reception');
  expect(() => trial.spool.done(at, [0])).toThrow('names no live reception');
  await trial.flush();
  expect(trial.spool.statistics.receptions).toBe(0);
  await trial.close();
});

test('nobody is told within the call, nor before the sync has ended', async () => {
  const world = simWorld(1, { diskLatencyMillis: 5 });
  const trial = await Trial.open({ world });
  let fate: Fate | undefined;
  trial.draft('body').commit(
    envelope(world, 'one'),
    TRAITS,
    told((now) => (fate = now)),
  );
  expect(fate).toBeUndefined();
  await world.clock.advance(9);
  expect(fate).toBeUndefined();
  await world.clock.advance(2);
  expect(fate?.at).toBeDefined();
  await trial.close();
});

test('all that one turn brings shares a sync, and all that waits while it runs shares the next', async () => {
  const world = simWorld(1, { diskLatencyMillis: 5 });
  const trial = await Trial.open({ world });
  const first = Array.from({ length: 20 }, (_, i) => trial.give(`a${i}`, 'body'));
  await world.clock.advance(3);
  const second = Array.from({ length: 30 }, (_, i) => trial.give(`b${i}`, 'body'));
  await world.clock.advance(3);
  second.push(trial.give('late', 'body'));
  const fates = await world.clock.until(Promise.all([...first, ...second]));
  expect(fates.every(({ at }) => at !== undefined)).toBe(true);
  expect(trial.spool.statistics.syncs).toBe(2);
  await trial.close();
});

test('done and state records wait 50 ms for a batch to ride with', async () => {
  const trial = await Trial.open();
  const { clock } = trial.world;
  const at = await trial.commit('one', 'body', 2);
  trial.spool.done(at, [0]);
  trial.spool.amend(at, Buffer.from('state'));
  await clock.advance(49);
  expect(trial.spool.statistics.syncs).toBe(1);
  await clock.advance(2);
  expect(trial.spool.statistics.syncs).toBe(2);
  trial.spool.amend(at, Buffer.from('later'));
  await trial.commit('two', 'body');
  expect(trial.spool.statistics.syncs).toBe(3);
  await clock.advance(100);
  expect(trial.spool.statistics.syncs).toBe(3);
  await trial.close();
});

test('with force_fsync off nothing is synced, and the log says what that risks', async () => {
  const trial = await Trial.open({ settings: { force_fsync: false } });
  await trial.commit('one', 'body');
  expect(trial.spool.statistics.syncs).toBe(0);
  expect(trial.diagnostics.join()).toMatch(/WARNING spool: force_fsync is false/);
  await trial.close();
});

test('what was left is recovered with envelopes, states and finished recipients, in order', async () => {
  const trial = await Trial.open();
  const { world } = trial;
  const one = await trial.commit('one', 'first body', 3);
  const two = await trial.commit('two', 'second body');
  await trial.commit('three', 'Gr\xfc\xdfe');
  trial.spool.amend(one, Buffer.from('old state'));
  trial.spool.amend(one, Buffer.from('newer'));
  trial.spool.done(one, [2]);
  trial.spool.done(two, [0]);
  await trial.close();
  const again = await Trial.open({ world });
  const recovered = await again.recovered();
  expect(recovered.map(({ envelope }) => envelope.batchId)).toEqual(['one', 'three']);
  expect(recovered[0]).toMatchObject({ done: [2], traits: TRAITS, envelope: envelope(world, 'one', 3) });
  expect(Buffer.from(recovered[0]!.state!).toString()).toBe('newer');
  expect(recovered[1]!.state).toBeUndefined();
  expect(await again.body(recovered[0]!.at)).toBe('first body');
  expect(await again.body(recovered[1]!.at)).toBe('Gr\xfc\xdfe');
  again.spool.done(recovered[0]!.at, [0, 1]);
  again.spool.done(recovered[1]!.at, [0]);
  await again.close();
  const last = await Trial.open({ world });
  expect(await last.recovered()).toEqual([]);
  await last.close();
});

test('mail is accepted while recovery is still reading', async () => {
  const trial = await Trial.open();
  for (let i = 0; i < 30; i++) await trial.commit(`old${i}`, 'x'.repeat(5000));
  await trial.close();
  const again = await Trial.open({ world: trial.world });
  const walk = again.spool.recover()[Symbol.asyncIterator]();
  const first = await again.world.clock.until(walk.next());
  const fresh = await again.commit('new', 'new body');
  let count = first.value!.length;
  for (
    let next = await again.world.clock.until(walk.next());
    !next.done;
    next = await again.world.clock.until(walk.next())
  )
    count += next.value.length;
  expect(count).toBe(30);
  expect(await again.body(fresh)).toBe('new body');
  await again.close();
});

test('traits survive', async () => {
  const trial = await Trial.open();
  const { world } = trial;
  await world.clock.until(
    new Promise<Fate>((resolve) =>
      trial.draft('.\r\n').commit(envelope(world, 'one'), { dots: true, lone: true }, told(resolve)),
    ),
  );
  await trial.close();
  const again = await Trial.open({ world });
  const [only] = await again.recovered();
  expect(only!.traits).toEqual({ dots: true, lone: true });
  expect(again.spool.hold(only!.at).traits).toEqual({ dots: true, lone: true });
  await again.close();
});

test('a replaced recipient is done and the new message exists; the rest of the old one lives on', async () => {
  const trial = await Trial.open();
  const { world } = trial;
  const at = await trial.commit('old', 'old body', 2);
  const fate = await world.clock.until(trial.replace(at, [1], 'bounce', 'it failed'));
  expect(await trial.body(fate.at!)).toBe('it failed');
  await trial.close();
  const again = await Trial.open({ world });
  expect(await again.contents()).toEqual({
    old: { body: 'old body', done: [1], state: undefined },
    bounce: { body: 'it failed', done: [], state: undefined },
  });
  await again.close();
});

test('the last recipient replaced ends the old message', async () => {
  const trial = await Trial.open();
  const { world } = trial;
  const at = await trial.commit('old', 'old body', 2);
  trial.spool.done(at, [0]);
  await world.clock.until(trial.replace(at, [1], 'bounce', 'it failed'));
  expect(() => trial.spool.hold(at)).toThrow();
  await trial.close();
  const again = await Trial.open({ world });
  expect(Object.keys(await again.contents())).toEqual(['bounce']);
  await again.close();
});

test('policy reads the draft, and its header fields go in front', async () => {
  const trial = await Trial.open();
  const draft = trial.draft('Subject: x\r\n', '\r\nbody');
  expect(await readBody(draft.body)).toBe('Subject: x\r\n\r\nbody');
  draft.prepend([Buffer.from('B: 2\r\n')]);
  draft.prepend([Buffer.from('A: 1\r\n')]);
  expect(await readBody(draft.body)).toBe('A: 1\r\nB: 2\r\nSubject: x\r\n\r\nbody');
  expect(draft.length).toBe(30);
  const fate = await trial.world.clock.until(
    new Promise<Fate>((resolve) => draft.commit(envelope(trial.world, 'one'), TRAITS, told(resolve))),
  );
  trial.spool.swapOut(fate.at!);
  expect(await trial.body(fate.at!)).toBe('A: 1\r\nB: 2\r\nSubject: x\r\n\r\nbody');
  expect(() => draft.append([])).toThrow('committed or discarded');
  await trial.close();
});

test('a second owner is refused in words', async () => {
  const trial = await Trial.open();
  await expect(Trial.open({ world: trial.world })).rejects.toMatchObject({
    code: 'IMP_SPOOL_LOCKED',
    message: expect.stringContaining('locked by'),
  });
  await trial.close();
  await (await Trial.open({ world: trial.world })).close();
});

test('a directory that cannot be read or written is a clear error, and the lock is given back', async () => {
  for (const [operation, code] of [
    ['list', 'IMP_SPOOL_READ'],
    ['open', 'IMP_SPOOL_WRITE'],
    ['makeDirectory', 'IMP_SPOOL_WRITE'],
    ['lock', 'IMP_SPOOL_WRITE'],
  ] as const) {
    const world = simWorld(1);
    const fault = world.disk.fail({ operation }, 'EACCES');
    await expect(Trial.open({ world })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/Check .*owner and mode/),
    });
    fault[Symbol.dispose]();
    await (await Trial.open({ world })).close();
  }
});

test('a caller that throws takes nobody with it', async () => {
  const trial = await Trial.open();
  trial.draft('x').commit(envelope(trial.world, 'bad'), TRAITS, {
    kept: () => {
      throw new Error('a bug');
    },
    refused: () => undefined,
  });
  await trial.commit('good', 'y');
  expect(trial.diagnostics.join()).toMatch(/ERROR spool: who waited for a reception has failed: a bug/);
  await trial.close();
});

test('commits after the end are refused, drafts that were discarded leave nothing', async () => {
  const trial = await Trial.open();
  const late = trial.draft('x');
  trial.draft('y').discard();
  await trial.close();
  const fate = await trial.world.clock.until(
    new Promise<Fate>((resolve) => late.commit(envelope(trial.world, 'late'), TRAITS, told(resolve))),
  );
  expect(fate.why).toMatchObject({ code: 'IMP_SPOOL_WRITE' });
  expect(trial.segments()).toEqual([]);
  expect(trial.world.disk.files()).toEqual([`${BASE}/lock`]);
});

test('of 6000 messages that get further in one turn each remembers its own recipient, also after a restart', async () => {
  const trial = await Trial.open({ segmentBytes: 64 * 1024 * 1024 });
  const { world } = trial;
  const given = await world.clock.until(
    Promise.all(Array.from({ length: 6000 }, (_, i) => trial.give(`m${i}`, 'x', 7))),
  );
  // More than one buffer of a batch holds.
  for (const [i, { at }] of given.entries()) trial.spool.done(at!, [i % 7]);
  await trial.close();
  const again = await Trial.open({ world });
  const rest = await again.recovered();
  expect(again.diagnostics).toEqual([]);
  expect(rest.map(({ done }) => done)).toEqual(given.map((_, i) => [i % 7]));
  await again.close();
});
