import { expect, test } from 'vitest';
import { generationOf } from '../../test/support/generation.ts';
import { seconds } from '../base/index.ts';
import { SimClock } from '../world/sim/clock.ts';
import { MemoryWatch } from './memory-watch.ts';

function watched() {
  const clock = new SimClock();
  const said: string[] = [];
  const memory = { used: 50, limit: 100 };
  let freed = 0;
  const view = generationOf({
    global: { memory_goal: 90, memory_hwm: 95, mail_queue_check_vm_interval: seconds(60) },
  }).global;
  const watch = new MemoryWatch({
    clock,
    events: { diagnose: (level) => void said.push(level) },
    memory: () => memory,
    global: () => view,
    free: () => {
      freed++;
    },
  });
  return { clock, watch, memory, said, freed: () => freed };
}

test('above memory_goal what waits is swapped out, once in each interval, and mail is still taken', async () => {
  const { clock, watch, memory, freed } = watched();
  await clock.advance(5000);
  expect(freed()).toBe(0);
  memory.used = 91;
  await clock.advance(119_000);
  expect([freed(), watch.exceeded]).toEqual([2, false]);
});

test('above memory_hwm new mail is refused until there is room again, and the operator is told twice', async () => {
  const { clock, watch, memory, said, freed } = watched();
  memory.used = 96;
  await clock.advance(3000);
  expect([watch.exceeded, freed()]).toEqual([true, 3]);
  memory.used = 60;
  await clock.advance(1000);
  expect([watch.exceeded, said]).toEqual([false, ['CRITICAL', 'NOTICE']]);
  watch[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});

test('a machine that does not tell its limit refuses nothing', async () => {
  const { clock, watch, memory } = watched();
  memory.limit = 0;
  await clock.advance(2000);
  expect(watch.exceeded).toBe(false);
});
