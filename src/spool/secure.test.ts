import { expect, test } from 'vitest';
import { Trial } from '../../test/support/spool-trial.ts';
import { afterPowerCut, SimMachine, simWorld } from '../world/sim/index.ts';

test('what a killed process left in the page cache is safe before anything is done on the strength of it', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simWorld(seed, { diskLatencyMillis: 10 });
    const machine = new SimMachine({ ...world, ip: '10.0.0.1' });
    const first = await Trial.open({ world, disk: machine.disk });
    void first.give('a', 'written, and killed before its sync has ended');
    await world.clock.advance(15);
    machine.kill();
    const second = await Trial.open({ world });
    expect(Object.keys(await second.contents())).toEqual(['a']);
    const third = await Trial.open({ world: afterPowerCut(world) });
    expect(Object.keys(await third.contents()), `seed ${seed}`).toEqual(['a']);
    await third.close();
  }
});

test('directories that a start has made and could not sync are synced by the next one', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = simWorld(seed);
    const fault = world.disk.fail({ operation: 'syncDirectory' });
    await expect(Trial.open({ world })).rejects.toThrow('cannot make');
    fault[Symbol.dispose]();
    const trial = await Trial.open({ world });
    await trial.commit('a', 'acknowledged');
    const after = await Trial.open({ world: afterPowerCut(world) });
    expect(Object.keys(await after.contents()), `seed ${seed}`).toEqual(['a']);
    await after.close();
  }
});

test('a directory above the spool that may not be read does not keep it from opening', async () => {
  const world = simWorld(1);
  world.disk.put('/var/spool/some', '');
  const fault = world.disk.fail({ operation: 'syncDirectory', path: /^\/(var)?$/ }, 'EACCES');
  const trial = await Trial.open({ world });
  await trial.commit('a', 'x');
  await trial.close();
  fault[Symbol.dispose]();
});

test('a segment that cannot be synced at the start is served all the same', async () => {
  const world = simWorld(1);
  const first = await Trial.open({ world });
  await first.commit('a', 'acknowledged');
  await first.close();
  const fault = world.disk.fail({ operation: 'sync', path: '0000000001.seg' });
  const second = await Trial.open({ world });
  expect(Object.keys(await second.contents())).toEqual(['a']);
  expect(second.diagnostics.join()).toMatch(/WARNING spool: cannot sync .*0000000001\.seg/);
  fault[Symbol.dispose]();
  await second.close();
});

test('while a segment cannot be read nothing is deleted: what is done meanwhile does not come back with it', async () => {
  const world = simWorld(1);
  const first = await Trial.open({ world });
  const at = await first.commit('a', 'a');
  await first.commit('b', 'b', 2);
  first.spool.done(at, [0]);
  await first.close();
  // Moves what is left of the first segment to the second.
  const second = await Trial.open({ world });
  await second.recovered();
  await world.clock.advance(5000);
  await second.close();
  expect(second.segments()).toEqual([expect.stringContaining('0000000002.seg')]);
  const fault = world.disk.fail({ operation: 'read', path: '0000000002.seg' });
  const third = await Trial.open({ world });
  expect(await third.recovered()).toEqual([]);
  const short = await third.commit('c', 'c');
  third.spool.done(short, [0]);
  await third.close();
  expect(third.segments()).toEqual(['2', '3'].map((n) => expect.stringContaining(`000000000${n}.seg`)));
  fault[Symbol.dispose]();
  const fourth = await Trial.open({ world });
  expect(Object.keys(await fourth.contents())).toEqual(['b']);
  await fourth.close();
});

test('a large body that new mail brings while the spool is read is not taken for one that is gone', async () => {
  const world = simWorld(1);
  const parts = { world, settings: { large_message_threshold: 100 } };
  const first = await Trial.open(parts);
  await first.commit('old', 'x'.repeat(1000));
  await first.close();
  const second = await Trial.open(parts);
  await second.commit('new', 'y'.repeat(1000));
  expect(Object.keys(await second.contents())).toEqual(['old']);
  expect(second.diagnostics.filter((line) => line.startsWith('CRITICAL'))).toEqual([]);
  await second.close();
});
