import { randomBytes, randomFillSync } from 'node:crypto';
import type { Chance } from '../world.ts';

/** All of it comes from the system's generator, so nothing that we choose can be guessed; drawn in pages to be cheap. */
export class NodeChance implements Chance {
  readonly #page = new Uint32Array(1024);
  #used = this.#page.length;

  next(): number {
    // 53 bits, all that a number in [0, 1) can hold.
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  below(below: number): number {
    if (!(below >= 1)) throw new RangeError(`nothing lies below ${below}`);
    if (below > 2 ** 32) return Math.floor(this.next() * below);
    // The last, incomplete run of remainders is drawn again: every number is as likely as any other.
    const fair = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const word = this.#word();
      if (word < fair) return word % below;
    }
  }

  bytes(count: number): Uint8Array {
    return randomBytes(count);
  }

  #word(): number {
    if (this.#used === this.#page.length) {
      randomFillSync(this.#page);
      this.#used = 0;
    }
    return this.#page[this.#used++] ?? 0;
  }
}
