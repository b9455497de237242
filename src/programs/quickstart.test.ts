import { expect, test } from 'vitest';
import { simProcess, simWorld } from '../world/sim/index.ts';
import { quickstartProgram } from './quickstart.ts';

test('a configuration that was thrown away is written again, and the users stay as they are', async () => {
  const world = simWorld();
  const process = simProcess();
  const users = `${process.directory}/var/users`;
  world.disk.put(users, 'mine:secret\n');
  const ended = quickstartProgram(world, process);
  await world.clock.advance(1000);
  expect(process.complained).toBe('');
  expect(process.said).toContain('just written, yours to change');
  expect(world.disk.text(users)).toBe('mine:secret\n');
  process.signal('SIGTERM');
  expect(await world.clock.until(ended)).toBe(0);
});

test('a first run makes a login for programs', async () => {
  const world = simWorld();
  const process = simProcess();
  const ended = quickstartProgram(world, process);
  await world.clock.advance(1000);
  expect(world.disk.text(`${process.directory}/var/users`)).toMatch(/^app:[\w-]{16}\n$/);
  process.signal('SIGTERM');
  expect(await world.clock.until(ended)).toBe(0);
});
