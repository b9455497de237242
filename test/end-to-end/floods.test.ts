import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Load } from '../../bench/load/smtp.ts';
import { type Hostile, planOf } from '../../bench/load/smtp-plan.ts';
import { send } from './client.ts';
import { eventually, Scratch, ServerProcess, SinkProcess } from './harness.ts';

/** A real server and real clients of the worst kind, for half a second each. */
describe('a flood', () => {
  const modes: readonly (readonly [Hostile, Readonly<Record<string, number>>])[] = [
    ['connects', {}],
    ['commands', { 500: 100, 421: 1 }],
    ['nul', { 500: 100, 421: 1 }],
    ['utf8', { 500: 100, 421: 1 }],
    ['lines', {}],
    ['hello', {}],
    ['mute', {}],
    ['half', {}],
    ['drip', {}],
  ];

  test('of each kind leaves the server serving, with its counters right and its log quiet', async () => {
    using scratch = new Scratch();
    await using sink = await SinkProcess.start();
    await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
    const resident = (): number =>
      Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const before = resident();
    let refused = 0;
    for (const [mode, replies] of modes) {
      const words = ['--hostile', mode, '--seconds', '0.5', '--sessions', '20'];
      const plan = planOf([`127.0.0.1:${server.port}`, ...words]);
      if (plan === 'help') throw new Error('help');
      const report = await new Load(plan).report;
      expect(report.connections, mode).toBeGreaterThanOrEqual(20);
      expect(report.errors, mode).toEqual({});
      for (const [code, times] of Object.entries(replies)) {
        const heard = report.refused[`reply ${code}`] ?? 0;
        expect(heard, `${mode}: ${code}`).toBeGreaterThanOrEqual(times);
        refused += heard;
      }
      await send(server.port, 'ann@origin.test', ['bob@dest.test']);
    }
    await eventually('all messages', () => sink.accepted('bob@dest.test').length === modes.length);
    const paniclog = (await server.log('paniclog')).split('\n').filter((line) => line !== '');
    expect(paniclog.length).toBeLessThan(20);
    const rejectlog = (await server.log('rejectlog')).split('\n').length;
    expect(rejectlog).toBeGreaterThanOrEqual(refused);
    expect(resident() - before).toBeLessThan(200);
    expect((await server.stop()).code).toBe(0);
  });
});
