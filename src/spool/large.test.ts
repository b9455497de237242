import { expect, test } from 'vitest';
import { BASE, envelope, type Fate, readBody, TRAITS, Trial, told } from '../../test/support/spool-trial.ts';
import { simWorld } from '../world/sim/index.ts';

const SETTINGS = { large_message_threshold: 10_000 };
const BODY = 'a line of mail\r\n'.repeat(2000);
const large = (trial: Trial): string[] => trial.world.disk.files().filter((file) => file.endsWith('.eml'));

test('a body over the threshold goes to a file while it arrives, and the pipe is paused while it is written', async () => {
  const world = simWorld(1, { diskLatencyMillis: 2 });
  const trial = await Trial.open({ world, settings: SETTINGS });
  const draft = trial.spool.draft();
  expect(draft.append([Buffer.alloc(9000, 'a')])).toBe(true);
  expect(draft.append([Buffer.alloc(9000, 'b')])).toBe(false);
  let drained = 0;
  draft.drained = () => drained++;
  await world.clock.advance(5);
  expect(drained).toBe(1);
  expect(draft.append([Buffer.alloc(9000, 'c')])).toBe(false);
  const reading = readBody(draft.body);
  expect(await world.clock.until(reading)).toBe('a'.repeat(9000) + 'b'.repeat(9000) + 'c'.repeat(9000));
  draft.prepend([Buffer.from('X: y\r\n')]);
  expect(draft.length).toBe(27_006);
  const { at } = await world.clock.until(
    new Promise<Fate>((resolve) => draft.commit(envelope(world, 'big'), TRAITS, told(resolve))),
  );
  expect(trial.spool.statistics.residentBodies).toBe(0);
  expect(await trial.body(at!)).toBe(`X: y\r\n${'a'.repeat(9000)}${'b'.repeat(9000)}${'c'.repeat(9000)}`);
  expect(world.disk.text(large(trial)[0]!)).toHaveLength(27_000);
  await trial.close();
});

test('who was told to pause is told to go on, even when the message ends or is dropped while its last bytes are written', async () => {
  for (const end of ['commit', 'discard'] as const) {
    const world = simWorld(1, { diskLatencyMillis: 2 });
    const trial = await Trial.open({ world, settings: SETTINGS });
    const draft = trial.spool.draft();
    let drained = 0;
    draft.drained = () => drained++;
    expect(draft.append([Buffer.alloc(20_000, 'a')])).toBe(false);
    if (end === 'discard') draft.discard();
    else draft.commit(envelope(world, 'big'), TRAITS, { kept: () => undefined, refused: () => undefined });
    expect(drained).toBe(0);
    await world.clock.advance(20);
    expect(drained, end).toBe(1);
    await trial.close();
  }
});

test('its file goes when it is done, and when it is discarded or refused', async () => {
  const trial = await Trial.open({ settings: SETTINGS });
  const { world } = trial;
  const at = await trial.commit('big', BODY);
  expect(large(trial)).toHaveLength(1);
  trial.spool.done(at, [0]);
  await trial.flush();
  expect(large(trial)).toEqual([]);
  const draft = trial.draft(BODY);
  await world.clock.settle();
  expect(large(trial)).toHaveLength(1);
  draft.discard();
  await world.clock.settle();
  expect(large(trial)).toEqual([]);
  world.disk.fail({ operation: 'sync', path: '.seg', times: 1 });
  expect((await world.clock.until(trial.give('refused', BODY))).why?.code).toBe('IMP_SPOOL_WRITE');
  await world.clock.settle();
  expect(large(trial)).toEqual([]);
  await trial.close();
});

test('who still reads it reads it to the end', async () => {
  const trial = await Trial.open({ settings: SETTINGS });
  const at = await trial.commit('big', BODY);
  const hold = trial.spool.hold(at);
  trial.spool.done(at, [0]);
  await trial.flush();
  expect(large(trial)).toHaveLength(1);
  expect(await trial.world.clock.until(readBody(hold))).toBe(BODY);
  await trial.world.clock.settle();
  expect(large(trial)).toEqual([]);
  await trial.close();
});

test.each(['open', 'write', 'sync', 'syncDirectory'] as const)(
  'a %s that fails refuses the message and leaves nothing',
  async (operation) => {
    const trial = await Trial.open({ settings: SETTINGS });
    const { world } = trial;
    const fault = world.disk.fail({ operation, path: '/large' }, 'ENOSPC');
    const draft = trial.draft(BODY);
    let drained = 0;
    draft.drained = () => drained++;
    await world.clock.settle();
    expect(drained).toBe(1);
    draft.append([Buffer.from(BODY)]);
    const { why } = await world.clock.until(
      new Promise<Fate>((resolve) => draft.commit(envelope(world, 'big'), TRAITS, told(resolve))),
    );
    expect(why?.code).toBe('IMP_SPOOL_FULL');
    await world.clock.settle();
    expect(large(trial)).toEqual([]);
    fault[Symbol.dispose]();
    await world.clock.advance(2000);
    await trial.commit('next', BODY);
    await trial.close();
  },
);

test('recovery finds it, clears away what nobody names, and tells of one that is gone', async () => {
  const trial = await Trial.open({ settings: SETTINGS });
  const { world } = trial;
  await trial.commit('one', BODY);
  await trial.commit('two', BODY);
  await trial.close();
  world.disk.put(`${BASE}/L0/large/0000000001-0000000099.eml`, 'nobody names this');
  const again = await Trial.open({ world });
  const recovered = await again.recovered();
  expect(await again.body(recovered[0]!.at)).toBe(BODY);
  expect(large(again)).toHaveLength(2);
  await again.close();
  await world.disk.remove(large(again)[0]!);
  const last = await Trial.open({ world });
  const [first, second] = await last.recovered();
  expect(last.diagnostics.join()).toMatch(
    /CRITICAL spool: .*\.eml is gone: the body of an acknowledged message is lost/,
  );
  await expect(last.body(first!.at)).rejects.toMatchObject({ code: 'IMP_SPOOL_READ' });
  expect(await last.body(second!.at)).toBe(BODY);
  await last.close();
});

test('a damaged one is not read to its end', async () => {
  const trial = await Trial.open({ settings: SETTINGS });
  const at = await trial.commit('one', BODY);
  const [file] = large(trial);
  trial.world.disk.put(file!, BODY.replace('a line', 'b line'));
  await expect(trial.body(at)).rejects.toMatchObject({ code: 'IMP_SPOOL_READ' });
  await trial.close();
});
