import { millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';

/** How often it is looked, and how many looks count. */
const EVERY_MILLIS = 500;
const LOOKS = 30;

/** How late the event loop is: measured by a timer, from the first time that somebody wants to know. */
export class LagWatch implements Disposable {
  readonly #clock: Pick<Clock, 'now' | 'at'>;
  readonly #delays: number[] = [];
  #timer: Disposable | undefined;

  constructor(clock: Pick<Clock, 'now' | 'at'>) {
    this.#clock = clock;
  }

  /** Seconds, the most of the last 15. */
  get worst(): number {
    if (this.#timer === undefined) this.#look();
    return Math.max(0, ...this.#delays) / 1000;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #look(): void {
    const due = millis(this.#clock.now() + EVERY_MILLIS);
    this.#timer = this.#clock.at(due, () => {
      this.#delays.push(this.#clock.now() - due);
      if (this.#delays.length > LOOKS) this.#delays.shift();
      this.#look();
    });
  }
}
