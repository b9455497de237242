import { expect, test } from 'vitest';
import { simWorld } from '../world/sim/index.ts';
import { writePidFile } from './pid-file.ts';

const told: string[] = [];
const events = { diagnose: (_level: string, _room: string, text: string) => void told.push(text) };

test('the file holds the process id as long as the server runs', async () => {
  const { disk } = simWorld();
  await disk.makeDirectory('/run');
  const written = await writePidFile(disk, events, '/run/impetus.pid', 4711);
  expect(disk.text('/run/impetus.pid')).toBe('4711\n');
  await written[Symbol.asyncDispose]();
  expect(await disk.status('/run/impetus.pid')).toBeUndefined();
});

test('one that another server has written meanwhile stays', async () => {
  const { disk } = simWorld();
  await disk.makeDirectory('/run');
  const written = await writePidFile(disk, events, '/run/impetus.pid', 4711);
  await disk.replace('/run/impetus.pid', Buffer.from('4712\n'));
  await written[Symbol.asyncDispose]();
  expect(disk.text('/run/impetus.pid')).toBe('4712\n');
});

test('a server that may not write it says so and goes on', async () => {
  const { disk } = simWorld();
  told.length = 0;
  const written = await writePidFile(disk, events, '/no/such/directory/pid', 1);
  expect(told).toEqual([expect.stringContaining('the process id was not written')]);
  await written[Symbol.asyncDispose]();
});

test('without the option nothing is written', async () => {
  const { disk } = simWorld();
  await using _written = await writePidFile(disk, events, undefined, 1);
  expect(disk.files()).toEqual([]);
});
