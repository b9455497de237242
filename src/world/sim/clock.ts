import { type Millis, millis, TimerHeap } from '../../base/index.ts';
import type { Clock } from '../world.ts';
import { turnEnd } from './turn.ts';

/** Time that moves only when it is told to. Every event runs alone: what it started has settled before the next one. */
export class SimClock implements Clock {
  readonly #heap = new TimerHeap();
  readonly #epoch: number;
  #now = 0;
  #deferred: (() => void)[] = [];
  #moving = false;
  /** Called when an event and all that it started has ended: a quiet moment. What it throws stops the clock. */
  afterEach: (() => void) | undefined;

  /** @param epoch what `date()` says at the start, milliseconds since 1970 */
  constructor(epoch: number = EPOCH) {
    this.#epoch = epoch;
  }

  now(): Millis {
    return millis(this.#now);
  }

  date(): Millis {
    return millis(this.#epoch + this.#now);
  }

  at(due: Millis, run: () => void): Disposable {
    return this.#heap.add(Math.max(due, this.#now), run);
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#heap.size;
  }

  /** Lets everything run that needs no time: promises and deferred work. */
  settle(): Promise<void> {
    return this.#alone(() => this.#settle());
  }

  /**
   * Moves time on, event by event. What an event throws comes out here, and time stays where it was thrown.
   */
  advance(duration: number): Promise<void> {
    return this.#alone(async () => {
      const target = this.#now + duration;
      await this.#settle();
      while (await this.#step(target));
      this.#now = target;
    });
  }

  /**
   * Runs until no timer waits.
   *
   * @param most milliseconds of simulated time
   * @throws Error when something still waits then: a timer that sets itself again would go on for ever
   */
  idle(most = 3_600_000): Promise<void> {
    return this.#alone(async () => {
      const target = this.#now + most;
      await this.#settle();
      while (await this.#step(target));
      if (this.#heap.size > 0) throw new Error(`${this.#heap.size} timers still wait after ${most} ms`);
    });
  }

  /**
   * Runs until `promise` is settled. @returns its value
   * @throws what it was rejected with, or an Error when that takes more than `most` milliseconds of simulated time
   */
  async until<T>(promise: Promise<T>, most = 3_600_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.#alone(async () => {
      const target = this.#now + most;
      await this.#settle();
      while (!settled && (await this.#step(target)));
    });
    if (!settled)
      throw new Error(`nothing that waits (${this.#heap.size} timers) settles the promise within ${most} ms`);
    return promise;
  }

  /** Runs the next event due by `target`. @returns whether there was one */
  async #step(target: number): Promise<boolean> {
    const due = this.#heap.nextDue();
    if (due === undefined || due > target) return false;
    this.#now = due;
    this.#heap.take(due)?.();
    await this.#settle();
    this.afterEach?.();
    return true;
  }

  async #settle(): Promise<void> {
    await turnEnd();
    while (this.#deferred.length > 0) {
      const batch = this.#deferred;
      this.#deferred = [];
      for (const run of batch) run();
      await turnEnd();
    }
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#moving) throw new Error('the clock is moving already: await the call before');
    this.#moving = true;
    try {
      await work();
    } finally {
      this.#moving = false;
    }
  }
}

/** 2026-03-03T10:00:00Z */
const EPOCH = 1_772_532_000_000;
