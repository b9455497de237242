import { type Millis, millis } from '../base/index.ts';

/** Triplets that are remembered; beyond it the oldest is forgotten, and meets the list as a stranger again. */
export const MOST_SIGHTS = 100_000;

/** When somebody was first seen: all that greylisting needs. Oldest entries go first. */
export class FirstSight {
  readonly #seen = new Map<string, Millis>();
  readonly #most: number;

  constructor(most: number = MOST_SIGHTS) {
    this.#most = most;
  }

  /** @returns true once `wait` has passed since the first call with this key */
  passed(key: string, wait: Millis, now: Millis): boolean {
    const first = this.#seen.get(key);
    if (first !== undefined) return now - first >= wait;
    if (this.#seen.size >= this.#most) {
      const oldest = this.#seen.keys().next();
      if (oldest.done !== true) this.#seen.delete(oldest.value);
    }
    this.#seen.set(key, now);
    return wait <= 0;
  }

  /** @returns when `passed` will be true for the first time */
  until(key: string, wait: Millis, now: Millis): Millis {
    return millis((this.#seen.get(key) ?? now) + wait);
  }
}
