import type { Millis } from './units.ts';

/**
 * A bounded cache that forgets what was asked for longest ago. It has no clock: who uses a lifetime passes `now`.
 */
export class Lru<K, V> {
  // A Map keeps the order of insertion, so the first key is the oldest.
  readonly #entries = new Map<K, Entry<V>>();
  readonly #most: number;

  /** @param most entries kept; 0 keeps nothing */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns undefined when it is not there or its lifetime is over */
  get(key: K, now?: Millis): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (now !== undefined && now >= entry.until) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** As `get`, but it does not count as a use. */
  peek(key: K, now?: Millis): V | undefined {
    const entry = this.#entries.get(key);
    return entry && (now === undefined || now < entry.until) ? entry.value : undefined;
  }

  /** @param until on the scale of `now`; without it the entry stays until it is pushed out */
  set(key: K, value: V, until?: Millis): void {
    this.#entries.delete(key);
    if (this.#most <= 0) return;
    while (this.#entries.size >= this.#most) {
      const oldest = this.#entries.keys().next();
      if (oldest.done) break;
      this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { value, until: until ?? Number.POSITIVE_INFINITY });
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Drops what is over. @returns how many entries went */
  expire(now: Millis): number {
    const before = this.#entries.size;
    for (const [key, entry] of this.#entries) if (now >= entry.until) this.#entries.delete(key);
    return before - this.#entries.size;
  }

  /** Keys and values, least recently used first, with those whose lifetime is over. */
  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (const [key, entry] of this.#entries) yield [key, entry.value];
  }
}

interface Entry<V> {
  readonly value: V;
  readonly until: number;
}
