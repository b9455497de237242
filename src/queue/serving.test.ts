import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import type { Servable } from './office.ts';
import { Serving } from './serving.ts';

/** A clock on which each look costs a millisecond, and whose loop is turned by hand. */
class HandClock implements Pick<Clock, 'now' | 'date' | 'at' | 'defer'> {
  readonly #deferred: (() => void)[] = [];
  #now = 0;
  readonly now = () => millis(++this.#now);
  readonly date = () => millis(0);
  readonly at = (): Disposable => ({ [Symbol.dispose]: () => undefined });
  readonly defer = (run: () => void): void => void this.#deferred.push(run);

  turn(): boolean {
    const all = this.#deferred.splice(0);
    for (const run of all) run();
    return all.length > 0;
  }
}

const queues = Array.from({ length: 100 }, (_, index) => ({ index }) as unknown as Servable);

test('queues that are due are served once each, in their order, over several turns when they are many', () => {
  const clock = new HandClock();
  const served: Servable[] = [];
  const serving = new Serving(clock, (queue) => void served.push(queue));
  for (const queue of [...queues, ...queues]) serving.add(queue);
  clock.turn();
  expect(served.length).toBeGreaterThan(0);
  expect(served.length).toBeLessThan(50);
  while (clock.turn());
  expect(served).toEqual(queues);
});

test('what becomes due while all are asked again is served in between, and all are asked', () => {
  const clock = new HandClock();
  const served: Servable[] = [];
  const serving = new Serving(clock, (queue) => void served.push(queue));
  serving.addAll(queues);
  clock.turn();
  const late = { index: 'late' } as unknown as Servable;
  serving.add(late);
  clock.turn();
  expect(served).toContain(late);
  expect(served.length).toBeLessThan(100);
  while (clock.turn());
  expect(served.filter((queue) => queue !== late)).toEqual(queues);
});

test('a queue that makes itself due again has its next turn, and does not keep the loop', () => {
  const clock = new HandClock();
  let times = 0;
  const [queue] = queues;
  if (queue === undefined) return;
  const serving: Serving = new Serving(clock, () => {
    if (++times < 5) serving.add(queue);
  });
  serving.add(queue);
  clock.turn();
  expect(times).toBe(1);
  while (clock.turn());
  expect(times).toBe(5);
});
