import { type Millis, millis, TimerHeap } from '../../base/index.ts';
import type { Clock } from '../world.ts';

/**
 * All timers of the program in one heap behind one `setTimeout`, all deferred work behind one `setImmediate`.
 * The timer keeps the process alive as long as something waits for it, and not longer.
 */
export class NodeClock implements Clock {
  readonly #heap = new TimerHeap(() => this.#timeout?.unref());
  #timeout: NodeJS.Timeout | undefined;
  /** When `#timeout` rings; Infinity when it does not. */
  #armedFor = Number.POSITIVE_INFINITY;
  #deferred: (() => void)[] = [];
  #immediate: NodeJS.Immediate | undefined;

  now(): Millis {
    return millis(performance.now());
  }

  date(): Millis {
    return millis(Date.now());
  }

  at(due: Millis, run: () => void): Disposable {
    const timer = this.#heap.add(due, run);
    if (due < this.#armedFor) this.#arm(due);
    else if (this.#heap.size === 1) this.#timeout?.ref();
    return timer;
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
    this.#immediate ??= setImmediate(this.#runDeferred);
  }

  #arm(due: number): void {
    if (this.#timeout) clearTimeout(this.#timeout);
    this.#armedFor = due;
    const wait = Math.min(Math.max(Math.ceil(due - performance.now()), 1), LONGEST_TIMEOUT);
    this.#timeout = setTimeout(this.#ring, wait);
  }

  readonly #ring = (): void => {
    this.#timeout = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    try {
      // At the start of the loop timers come before immediates; deferred work must not notice.
      if (this.#immediate) this.#runDeferred();
      // One `now` for the batch: a timer that sets another one for "at once" does not keep the loop here for ever.
      const now = performance.now();
      for (let run = this.#heap.take(now); run; run = this.#heap.take(now)) run();
    } finally {
      // libuv rounds down, so the timer may ring a little early; then it is armed again for the rest.
      const due = this.#heap.nextDue();
      if (due !== undefined && due < this.#armedFor) this.#arm(due);
    }
  };

  readonly #runDeferred = (): void => {
    if (this.#immediate) clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const batch = this.#deferred;
    this.#deferred = [];
    let done = 0;
    try {
      while (done < batch.length) batch[done++]?.();
    } finally {
      // One that throws must not take the others with it.
      if (done < batch.length) {
        this.#deferred = [...batch.slice(done), ...this.#deferred];
        this.#immediate ??= setImmediate(this.#runDeferred);
      }
    }
  };
}

/** What `setTimeout` takes; more makes it ring at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
