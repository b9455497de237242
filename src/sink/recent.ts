import type { Millis } from '../base/index.ts';

/** A message the sink has taken, as far as it remembers it. */
export interface Taken {
  /** Counts from 1 in order of arrival. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly date: Millis;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly bytes: number;
  /** The header as it came, without the blank line: Latin-1, at most `MOST_HEADER_BYTES` of it. */
  readonly header: Uint8Array;
}

/** Kept of a header; nobody reads more in a list. */
export const MOST_HEADER_BYTES = 16_384;

/** The last messages, newest first when asked; the oldest makes room. */
export class Recent {
  readonly #most: number;
  readonly #ring: Taken[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(taken: Taken): void {
    if (this.#most === 0) return;
    this.#ring[this.#next] = taken;
    this.#next = (this.#next + 1) % this.#most;
  }

  list(): readonly Taken[] {
    return [...this.#ring.slice(0, this.#next).reverse(), ...this.#ring.slice(this.#next).reverse()];
  }
}
