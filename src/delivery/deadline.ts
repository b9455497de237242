import type { Millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';

/** One timer, set again only when something is due earlier than it. */
export class Deadline {
  readonly #clock: Clock;
  readonly #expire: () => void;
  #timer: Disposable | undefined;
  #due = Number.POSITIVE_INFINITY;
  #over = false;

  /** @param expire called when something may be due; whatever is due later must be armed again there */
  constructor(clock: Clock, expire: () => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** @param due infinite: nothing is */
  arm(due: Millis): void {
    if (due >= this.#due || this.#over) return;
    this.#timer?.[Symbol.dispose]();
    this.#due = due;
    this.#timer = this.#clock.at(due, () => {
      this.#timer = undefined;
      this.#due = Number.POSITIVE_INFINITY;
      this.#expire();
    });
  }

  /** Nothing is due any more. */
  stop(): void {
    this.#over = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
