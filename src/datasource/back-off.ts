import { type Millis, millis } from '../base/index.ts';
import type { Chance } from '../world/index.ts';

const FIRST_MILLIS = 1000;
const MOST_MILLIS = 30_000;

/** When a store that is down is tried again: after a second, then twice as long each time, up to half a minute. */
export class BackOff {
  readonly #chance: Pick<Chance, 'next'>;
  #failures = 0;
  #until = millis(0);

  constructor(chance: Pick<Chance, 'next'>) {
    this.#chance = chance;
  }

  /** The last attempt has failed. */
  get down(): boolean {
    return this.#failures > 0;
  }

  /** @returns milliseconds until the next attempt; 0 when it may be now */
  wait(now: Millis): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#until - now);
  }

  failed(now: Millis): void {
    const most = Math.min(MOST_MILLIS, FIRST_MILLIS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 20);
    // Many servers that lost one store must not all come back in the same moment.
    this.#until = millis(now + most * (0.8 + 0.4 * this.#chance.next()));
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
