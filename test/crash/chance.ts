/** Numbers that a seed decides: the same plan for the same seed, on every machine. */
export class Chance {
  #state: number;

  /** @param seeds  whole numbers; each combination begins elsewhere */
  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e3779b9;
    for (const seed of seeds) this.#state = Math.imul(this.#state ^ seed, 0x85ebca6b) ^ (this.#state >>> 13);
    for (let i = 0; i < 4; i++) this.next();
  }

  /** @returns a number in [0, 1) */
  next(): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns a whole number in [0, below) */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** @returns the same things in another order */
  shuffled<T>(things: readonly T[]): readonly T[] {
    const left = [...things];
    for (let i = left.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [left[i], left[j]] = [left[j]!, left[i]!];
    }
    return left;
  }
}
