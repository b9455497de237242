import type { Clock } from '../world/index.ts';
import type { Servable } from './office.ts';

/** Milliseconds in which queues are served before others have their turn. */
const SLICE = 5;
/** Queues between two looks at the clock. */
const LOOK = 16;

/** Queues that wait to be served, each once. After a commit that may be all of them: then it takes several turns. */
export class Serving {
  readonly #clock: Clock;
  readonly #serve: (queue: Servable) => void;
  readonly #due = new Set<Servable>();
  #deferred = false;
  /** Being served, from this place on. */
  #row: readonly Servable[] = [];
  #next = 0;

  constructor(clock: Clock, serve: (queue: Servable) => void) {
    this.#clock = clock;
    this.#serve = serve;
  }

  add(queue: Servable): void {
    this.#due.add(queue);
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
    while (this.#next < this.#row.length) {
      const queue = this.#row[this.#next++];
      if (queue !== undefined) this.#serve(queue);
      if (this.#next % LOOK === 0 && this.#clock.now() >= until) break;
    }
    if (this.#next < this.#row.length) return this.#later();
    this.#row = [];
    this.#next = 0;
    if (this.#due.size > 0) this.#later();
  }
}
