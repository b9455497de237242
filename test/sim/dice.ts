import type { SimChance } from '../../src/world/sim/index.ts';

/** Draws for plans and peers, from one seeded chance. */
export class Dice {
  readonly #chance: SimChance;

  constructor(chance: SimChance) {
    this.#chance = chance;
  }

  fork(): Dice {
    return new Dice(this.#chance.fork());
  }

  happens(probability: number): boolean {
    return this.#chance.happens(probability);
  }

  /** @returns a whole number from `least` to `most`, both included */
  between(least: number, most: number): number {
    return least + this.#chance.below(most - least + 1);
  }

  /** @returns a number in [least, most) */
  within(least: number, most: number): number {
    return least + this.#chance.next() * (most - least);
  }

  /** Small numbers more often than large ones: evenly spread over the logarithm. */
  scale(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.#chance.next());
  }

  of<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const chosen = choices[this.#chance.below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }

  /** @returns one of the names, as often as its weight says */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.#chance.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      at -= weight;
      if (at < 0) return name;
    }
    return this.of(entries)[0];
  }
}
