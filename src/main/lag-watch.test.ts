import { expect, test } from 'vitest';
import { type Millis, millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import { LagWatch } from './lag-watch.ts';

/** Timers that run when the test says so, however late. */
class LateClock implements Pick<Clock, 'now' | 'at'> {
  time = 0;
  #run: (() => void) | undefined;
  due = 0;

  now(): Millis {
    return millis(this.time);
  }

  at(due: Millis, run: () => void): Disposable {
    this.due = due;
    this.#run = run;
    return { [Symbol.dispose]: () => (this.#run = undefined) };
  }

  late(by: number): void {
    this.time = this.due + by;
    this.#run?.();
  }

  get waits(): boolean {
    return this.#run !== undefined;
  }
}

test('the worst delay counts for 15 seconds, from the first time that somebody asks', () => {
  const clock = new LateClock();
  const lag = new LagWatch(clock);
  expect(clock.waits).toBe(false);
  expect(lag.worst).toBe(0);
  clock.late(250);
  clock.late(3);
  expect(lag.worst).toBe(0.25);
  for (let look = 0; look < 29; look++) clock.late(1);
  expect(lag.worst).toBe(0.003);
  lag[Symbol.dispose]();
  expect(clock.waits).toBe(false);
});
