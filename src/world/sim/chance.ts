import type { Chance } from '../world.ts';

/** Numbers that look random and are the same for the same seed. */
export class SimChance implements Chance {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    // Seeds that differ by one bit must not start alike: mixed by the finalizer of MurmurHash3.
    const mixed = (salt: number): number => {
      let word = Math.imul((seed ^ salt) >>> 0, 0x85ebca6b) ^ Math.floor(seed / 2 ** 32);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      return (word ^ (word >>> 16)) >>> 0;
    };
    this.#a = mixed(0x9e3779b9);
    this.#b = mixed(0x243f6a88);
    this.#c = mixed(0xb7e15162);
    this.#d = 1;
    for (let round = 0; round < 12; round++) this.#word();
  }

  next(): number {
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  below(below: number): number {
    if (!(below >= 1)) throw new RangeError(`nothing lies below ${below}`);
    return Math.floor(this.next() * below);
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = this.#word() & 0xff;
    return bytes;
  }

  /** @returns whether something that happens with this probability happens now */
  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** A generator of its own, so that one part of a simulation can ask more often without changing the others. */
  fork(): SimChance {
    return new SimChance(this.#word());
  }

  /** One round of sfc32, the small fast counting generator of PractRand. */
  #word(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
