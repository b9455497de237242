import type { Millis } from './units.ts';

/**
 * A bounded cache that forgets what was asked for longest ago. It has no clock: who uses a lifetime passes `now`.
 *
 * The order of use is a chain through the entries. The order of a Map would do as well, by deleting and setting a key at
 * each use, but V8 keeps deleted keys in their bucket until it rehashes: one name asked for again and again in a cache
 * of 50,000 cost 80 µs a time (bench/resolver.ts, "from the cache, one name").
 */
export class Lru<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  readonly #most: number;
  #oldest: Entry<K, V> | undefined;
  #newest: Entry<K, V> | undefined;

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
    if (now !== undefined && now >= entry.until) {
      this.#drop(entry);
      return undefined;
    }
    if (entry !== this.#newest) {
      this.#unchain(entry);
      this.#chain(entry);
    }
    return entry.value;
  }

  /** As `get`, but it does not count as a use. */
  peek(key: K, now?: Millis): V | undefined {
    const entry = this.#entries.get(key);
    return entry && (now === undefined || now < entry.until) ? entry.value : undefined;
  }

  /** @param until on the scale of `now`; without it the entry stays until it is pushed out */
  set(key: K, value: V, until?: Millis): void {
    if (this.#most <= 0) return;
    const known = this.#entries.get(key);
    if (known) {
      known.value = value;
      known.until = until ?? Number.POSITIVE_INFINITY;
      this.#unchain(known);
      this.#chain(known);
      return;
    }
    while (this.#oldest !== undefined && this.#entries.size >= this.#most) this.#drop(this.#oldest);
    const entry: Entry<K, V> = {
      key,
      value,
      until: until ?? Number.POSITIVE_INFINITY,
      older: undefined,
      newer: undefined,
    };
    this.#entries.set(key, entry);
    this.#chain(entry);
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#drop(entry);
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
  }

  /** Drops what is over. @returns how many entries went */
  expire(now: Millis): number {
    const before = this.#entries.size;
    for (const entry of this.#entries.values()) if (now >= entry.until) this.#drop(entry);
    return before - this.#entries.size;
  }

  /** Keys and values, least recently used first, with those whose lifetime is over. Not to be changed meanwhile. */
  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer) yield [entry.key, entry.value];
  }

  #drop(entry: Entry<K, V>): void {
    this.#entries.delete(entry.key);
    this.#unchain(entry);
  }

  /** At the end: it was used last. */
  #chain(entry: Entry<K, V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unchain(entry: Entry<K, V>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }
}

interface Entry<K, V> {
  readonly key: K;
  value: V;
  until: number;
  older: Entry<K, V> | undefined;
  newer: Entry<K, V> | undefined;
}
