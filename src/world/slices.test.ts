import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { simWorld } from './sim/index.ts';
import { Slices } from './slices.ts';

/** A clock on which each look costs a millisecond. */
function slowClock(): { now: () => ReturnType<typeof millis>; defer: (run: () => void) => void; turns: number } {
  let now = 0;
  const clock = {
    turns: 0,
    now: () => millis(++now),
    defer: (run: () => void) => {
      clock.turns++;
      queueMicrotask(run);
    },
  };
  return clock;
}

test('work gives way again and again, and every item is visited once and in order', async () => {
  const clock = slowClock();
  const items = Array.from({ length: 2000 }, (_, index) => index);
  const visited: number[] = [];
  await new Slices(clock).each(items, (item) => void visited.push(item));
  expect(visited).toEqual(items);
  expect(clock.turns).toBeGreaterThan(8);
});

test('steps are made until one says that nothing is left', async () => {
  const clock = slowClock();
  let left = 1000;
  await new Slices(clock).run(() => --left > 0);
  expect(left).toBe(0);
  expect(clock.turns).toBeGreaterThan(2);
});

test('where no time passes, and without a clock, it is one slice', async () => {
  const { clock } = simWorld();
  for (const slices of [new Slices(clock), new Slices(undefined)]) {
    let count = 0;
    await slices.each(Array.from({ length: 10_000 }), () => void count++);
    expect(count).toBe(10_000);
  }
});
