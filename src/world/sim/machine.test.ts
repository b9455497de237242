import { expect, test } from 'vitest';
import type { Pipe } from '../world.ts';
import { SimMachine, simWorld } from './index.ts';

const QUIET = { data: () => undefined, drained: () => undefined, closed: () => undefined };

function machine(latency: { diskLatencyMillis?: number } = {}) {
  const world = simWorld(1, latency);
  return { world, machine: new SimMachine({ ...world, ip: '10.0.0.1' }) };
}

test('timers, deferred work and promises of a machine that has died do nothing, and the world goes on', async () => {
  const { world, machine: dying } = machine({ diskLatencyMillis: 10 });
  const heard: string[] = [];
  const file = await world.clock.until(dying.disk.open('/a', 'create'));
  dying.clock.at(dying.clock.now(), () => dying.clock.defer(() => heard.push('before')));
  await world.clock.advance(1);
  dying.clock.at(world.clock.now(), () => heard.push('its timer'));
  dying.clock.defer(() => heard.push('its deferred work'));
  world.clock.at(world.clock.now(), () => heard.push('the world'));
  file.write([Buffer.from('x')]).then(
    () => heard.push('its write'),
    () => heard.push('its failure'),
  );
  dying.kill();
  dying.clock.at(world.clock.now(), () => heard.push('a timer of a dead machine'));
  void dying.disk.status('/a').then(() => heard.push('a dead disk'));
  await world.clock.advance(100);
  expect(heard).toEqual(['before', 'the world']);
});

test('a killed machine leaves its page cache, closed connections and free locks', async () => {
  const { world, machine: killed } = machine();
  const heard: string[] = [];
  await killed.network.listen({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, { backlog: 1, fileMode: 0 }, () => QUIET);
  world.network.connect({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, undefined, {
    ...QUIET,
    opened: () => heard.push('opened'),
    closed: (why) => heard.push(`closed ${why?.code ?? 'in order'}`),
  });
  await killed.disk.lock('/lock');
  const file = await killed.disk.open('/a', 'create');
  await file.write([Buffer.from('not synced')]);
  await world.clock.advance(10);
  const disk = killed.kill();
  await world.clock.advance(10);
  expect(heard).toEqual(['opened', 'closed in order']);
  expect(disk.text('/a')).toBe('not synced');
  await disk.lock('/lock');
  const next = new SimMachine({ ...world, disk, ip: '10.0.0.1' });
  await next.network.listen({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, { backlog: 1, fileMode: 0 }, () => QUIET);
});

test('when the power is cut nobody is told, and what was not synced may be gone', async () => {
  const { world, machine: dark } = machine();
  const heard: string[] = [];
  let served: Pipe | undefined;
  await dark.network.listen({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, { backlog: 1, fileMode: 0 }, (pipe) => {
    served = pipe;
    return { ...QUIET, data: () => heard.push('the dead machine hears') };
  });
  const pipe = world.network.connect({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, undefined, {
    ...QUIET,
    opened: () => heard.push('opened'),
    closed: () => heard.push('closed'),
  });
  await dark.disk.open('/a', 'create');
  await world.clock.advance(10);
  const disk = dark.cutPower();
  pipe.write([Buffer.from('anybody there?')]);
  served?.write([Buffer.from('no')]);
  await world.clock.advance(60_000);
  expect(heard).toEqual(['opened']);
  expect(disk.text('/a') ?? '').toBe('');
});

test('a watch sees each connection until the machine is done with it, and each operation of its disk', async () => {
  const world = simWorld(1);
  const seen: string[] = [];
  const watched: SimMachine = new SimMachine({
    ...world,
    ip: '10.0.0.1',
    watch: {
      began: (operation, path) => {
        seen.push(`${operation} ${path}`);
        if (path === '/fatal') watched.kill();
      },
      ended: (operation, _path, trouble) => seen.push(`${operation} ${trouble === undefined ? 'done' : 'failed'}`),
    },
    connected: (_pipe, to) => {
      seen.push(`connects ${to.kind === 'tcp' ? to.port : to.path}`);
      return { over: () => seen.push('over') };
    },
  });
  const pipe = watched.network.connect({ kind: 'tcp', ip: '10.9.9.9', port: 25 }, undefined, {
    ...QUIET,
    opened: () => undefined,
  });
  await world.clock.advance(10);
  pipe.end();
  await expect(watched.disk.read('/nothing')).rejects.toThrow('ENOENT');
  let settled = false;
  void watched.disk.open('/fatal', 'create').finally(() => {
    settled = true;
  });
  await world.clock.advance(10);
  expect(seen).toEqual(['connects 25', 'over', 'read /nothing', 'read failed', 'open /fatal']);
  expect(settled).toBe(false);
  expect(world.disk.files()).toEqual([]);
});

test('the pages of a failed sync are forgotten: a later sync does not bring them to the platter', async () => {
  let lost = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const world = simWorld(seed);
    const file = await world.disk.open('/a', 'create');
    await world.disk.syncDirectory('/');
    await file.write([Buffer.from('first')]);
    world.disk.fail({ operation: 'sync', times: 1 });
    await expect(file.sync()).rejects.toThrow('EIO');
    await file.write([Buffer.from('second')]);
    await file.sync();
    expect(world.disk.text('/a')).toBe('firstsecond');
    if (world.disk.crash().text('/a') !== 'firstsecond') lost++;
  }
  expect(lost).toBeGreaterThan(5);
  expect(lost).toBeLessThan(35);
});

test('a pipe tells what its peer was given, and when what it got was written', async () => {
  const world = simWorld(1, { latencyMillis: 10 });
  const got: number[] = [];
  await world.network.listen({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, { backlog: 1, fileMode: 0 }, (pipe) => ({
    ...QUIET,
    data: () => {
      const end = [...world.network.pipes].find((each) => each === pipe);
      got.push(end?.sentAt(0) ?? -1, end?.sentAt(3) ?? -1);
    },
  }));
  const pipe = world.network.connect({ kind: 'tcp', ip: '10.0.0.1', port: 25 }, undefined, {
    ...QUIET,
    opened: () => undefined,
  });
  await world.clock.advance(5);
  pipe.write([Buffer.from('abc')]);
  await world.clock.advance(2);
  pipe.write([Buffer.from('def')]);
  expect(pipe.taken).toBe(0);
  await world.clock.advance(100);
  expect(pipe.taken).toBe(6);
  expect(got).toEqual([5, 7, 5, 7]);
});
