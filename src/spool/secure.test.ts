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
