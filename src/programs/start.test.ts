import { expect, test } from 'vitest';
import { type SimProcess, type SimWorld, simProcess, simWorld } from '../world/sim/index.ts';
import { startProgram } from './start.ts';

const TEXT = `
Spoolbase = "/spool"
ESMTP_Listener { Listen "10.0.0.1:25" { } Listen "10.0.0.2:25" { } }
Control_Listener { Listen "/run/control" { } }
`;

/** A world in which nobody can listen at one endpoint. */
function broken(): { readonly world: SimWorld; readonly process: SimProcess } {
  const world = simWorld();
  world.disk.put('/etc/impetus.conf', TEXT);
  world.network.refuseBind('10.0.0.2:25', 'EADDRINUSE');
  return { world, process: simProcess() };
}

test('a listener that cannot be opened ends the start with 2, and nothing stays open', async () => {
  const { world, process } = broken();
  expect(await world.clock.until(startProgram(world, process, ['-c', '/etc/impetus.conf']))).toBe(2);
  expect(process.complained).toContain('impetus: cannot bind 10.0.0.2:25: simulated EADDRINUSE\n');
  expect([process.said, world.network.listening.size]).toEqual(['', 0]);
});

test('--tolerate-listeners makes it an error in the log, and the rest is served; a reload tries it again', async () => {
  const { world, process } = broken();
  const ended = startProgram(world, process, ['-c', '/etc/impetus.conf', '--tolerate-listeners']);
  await world.clock.advance(100);
  expect(process.said).toMatch(/ is ready: ESMTP_Listener 10\.0\.0\.1:25, Control_Listener \/run\/control; spool /);
  expect(process.complained).toContain('cannot bind 10.0.0.2:25: simulated EADDRINUSE; the server goes on without it');
  process.signal('SIGHUP');
  await world.clock.advance(100);
  expect(world.network.listening.has('10.0.0.2:25')).toBe(false);
  world.network.healBind('10.0.0.2:25');
  process.signal('SIGHUP');
  await world.clock.advance(100);
  expect(world.network.listening.has('10.0.0.2:25')).toBe(true);
  process.signal('SIGTERM');
  expect(await world.clock.until(ended)).toBe(0);
});

test('-n leaves a service out, and the log says what that means', async () => {
  const world = simWorld();
  world.disk.put('/etc/impetus.conf', `${TEXT} ECStream_Listener { Listen "10.0.0.1:1825" { } }`);
  const process = simProcess();
  const ended = startProgram(world, process, ['-c', '/etc/impetus.conf', '-n', 'ESMTP', '-n', 'queue']);
  await world.clock.advance(100);
  expect([...world.network.listening.keys()].sort()).toEqual(['/run/control', '10.0.0.1:1825']);
  expect(process.complained).toContain('10.0.0.1:25 is not opened: this run has no ESMTP_Listener');
  expect(process.complained).toContain('nothing is delivered in this run: mail waits in its queues');
  // Also not by a reload.
  process.signal('SIGHUP');
  await world.clock.advance(100);
  expect(world.network.listening.has('10.0.0.1:25')).toBe(false);
  process.signal('SIGTERM');
  expect(await world.clock.until(ended)).toBe(0);
});

test('a SIGHUP while it starts does not end it, and the configuration that was meant is in force', async () => {
  const { world, process } = broken();
  world.network.healBind('10.0.0.2:25');
  const ended = startProgram(world, process, ['-c', '/etc/impetus.conf']);
  // Who knows the process by its id does not know how far it is.
  expect([process.signal('SIGHUP'), process.signal('SIGUSR2')]).toEqual([true, true]);
  world.disk.put('/etc/impetus.conf', TEXT.replace('10.0.0.2', '10.0.0.3'));
  await world.clock.advance(500);
  expect(process.said).toContain(' is ready: ');
  expect([...world.network.listening.keys()]).toContain('10.0.0.3:25');
  process.signal('SIGTERM');
  expect(await world.clock.until(ended)).toBe(0);
});

test('-n of a service that there is not is refused', async () => {
  const process = simProcess();
  expect(await startProgram(simWorld(), process, ['-n', 'http'])).toBe(2);
  expect(process.complained).toContain('It is one of esmtp, ecstream, queue.');
});
