import type { Clock } from '../world/index.ts';
import type { Servable } from './office.ts';

/** Milliseconds in which queues are served before others have their turn. */
const SLICE = 2;
/** Queues between two looks at the clock. */
const LOOK = 8;

/**
 * Queues that wait to be served, each once. After a commit that may be a hundred thousand: they are served over many turns,
 * and not even put in a row at once.
 */
export class Serving {
  readonly #clock: Clock;
  readonly #serve: (queue: Servable) => void;
  readonly #due = new Set<Servable>();
  #deferred = false;
  /** Being served, from this place on. */
  #row: readonly Servable[] = [];
  #next = 0;
  /** What is left of those that are all to be asked again. */
  #all: Iterator<Servable> | undefined;
  #fromAll = false;

  constructor(clock: Clock, serve: (queue: Servable) => void) {
    this.#clock = clock;
    this.#serve = serve;
  }

  add(queue: Servable): void {
    this.#due.add(queue);
    this.#later();
  }

  /** @param queues which may come and go while they are gone through; they take the place of those of an earlier call */
  addAll(queues: Iterable<Servable>): void {
    this.#all = queues[Symbol.iterator]();
    this.#later();
  }

  #later(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#clock.defer(() => this.#slice());
  }

  #slice(): void {
    this.#deferred = false;
    if (this.#row.length === 0) {
      this.#row = [...this.#due];
      this.#due.clear();
    }
    const until = this.#clock.now() + SLICE;
    for (let count = 1; ; count++) {
      const queue = this.#take();
      if (queue === undefined) break;
      this.#serve(queue);
      if (count % LOOK === 0 && this.#clock.now() >= until) break;
    }
    if (this.#next === this.#row.length) {
      this.#row = [];
      this.#next = 0;
    }
    if (this.#row.length > 0 || this.#all !== undefined || this.#due.size > 0) this.#later();
  }

  /** What has become due by itself and what is asked again take turns, so that neither waits for the end of the other. */
  #take(): Servable | undefined {
    this.#fromAll = !this.#fromAll;
    if (this.#all && (this.#fromAll || this.#next === this.#row.length)) {
      const { value, done } = this.#all.next();
      if (done !== true) return value;
      this.#all = undefined;
    }
    return this.#next < this.#row.length ? this.#row[this.#next++] : undefined;
  }
}
