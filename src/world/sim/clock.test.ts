import { expect, test } from 'vitest';
import { millis } from '../../base/index.ts';
import { SimClock } from './clock.ts';

test('events run one by one at their time, with what they started', async () => {
  const clock = new SimClock(0);
  const log: string[] = [];
  const note = (word: string): void => void log.push(`${clock.now()} ${word}`);
  const slowly = async (): Promise<void> => {
    for (let hop = 0; hop < 50; hop++) await Promise.resolve();
    note('promise');
    clock.at(millis(5), () => note('past is now'));
  };
  clock.at(millis(10), () => {
    note('ten');
    clock.defer(() => note('deferred'));
    void slowly();
  });
  clock.at(millis(10), () => note('ten too'));
  clock.at(millis(30), () => note('thirty'));
  await clock.advance(20);
  expect(log).toEqual(['10 ten', '10 promise', '10 deferred', '10 ten too', '10 past is now']);
  expect([clock.now(), clock.date(), clock.pending]).toEqual([20, 20, 1]);
  await clock.idle();
  expect([clock.now(), log.at(-1)]).toEqual([30, '30 thirty']);
});

test('what an event throws comes out of the call that ran it', async () => {
  const clock = new SimClock();
  clock.at(millis(3), () => {
    throw new Error('broken');
  });
  await expect(clock.advance(10)).rejects.toThrow('broken');
  expect(clock.now()).toBe(3);
  await clock.advance(10);
  expect(clock.now()).toBe(13);
});

test('a promise is awaited in simulated time, and one that never settles is told', async () => {
  const clock = new SimClock();
  const rings = new Promise<string>((resolve) => clock.at(millis(60_000), () => resolve('rang')));
  expect(await clock.until(rings)).toBe('rang');
  expect(clock.now()).toBe(60_000);
  await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(clock.until(new Promise(() => undefined), 5)).rejects.toThrow('nothing that waits (0 timers)');
});

test('a timer that sets itself again does not keep a test for ever', async () => {
  const clock = new SimClock();
  const again = (): void => void clock.at(millis(clock.now() + 1000), again);
  again();
  await expect(clock.idle(10_000)).rejects.toThrow('1 timers still wait');
});

test('the clock cannot be moved from two places at once', async () => {
  const clock = new SimClock();
  const first = clock.advance(1);
  await expect(clock.advance(1)).rejects.toThrow('moving already');
  await first;
});
