import { Lru, type Millis, millis } from '../base/index.ts';
import type { StoreRows } from '../world/index.ts';

/** Characters of a result that is kept; a larger one is asked for again. */
const MOST_CHARACTERS = 256 * 1024;

export interface CacheCounts {
  hits: number;
  misses: number;
  /** Found a query of the same words under way, and waited for it. */
  pending: number;
  inserts: number;
  /** Deletions: by `flush`, because their time was over, because there was no room. */
  flushed: number;
  expired: number;
  pushedOut: number;
}

interface Entry {
  readonly rows: StoreRows;
  readonly until: Millis;
}

/** Results by what they answer, the least recently used first to go. Counts go on over changes of its size. */
export class QueryCache {
  readonly counts: CacheCounts = { hits: 0, misses: 0, pending: 0, inserts: 0, flushed: 0, expired: 0, pushedOut: 0 };
  #entries: Lru<string, Entry>;
  #most: number;

  constructor(most: number) {
    this.#most = most;
    this.#entries = new Lru(most);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: Millis): StoreRows | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (now < entry.until) return entry.rows;
    this.#entries.delete(key);
    this.counts.expired++;
    return undefined;
  }

  set(key: string, rows: StoreRows, until: Millis): void {
    if (this.#most === 0 || charactersOf(rows) > MOST_CHARACTERS) return;
    const before = this.#entries.size;
    const known = this.#entries.peek(key) !== undefined;
    this.#entries.set(key, { rows, until });
    this.counts.inserts++;
    if (!known && this.#entries.size === before) this.counts.pushedOut++;
  }

  /** @returns how many entries went */
  flush(): number {
    const count = this.#entries.size;
    this.#entries.clear();
    this.counts.flushed += count;
    return count;
  }

  resize(most: number): void {
    if (most === this.#most) return;
    const old = this.#entries;
    this.#most = most;
    this.#entries = new Lru(most);
    for (const [key, entry] of old) this.#entries.set(key, entry);
    this.counts.pushedOut += old.size - this.#entries.size;
  }

  /** Nothing lives longer than this from now on: a life that was made shorter holds for what is there, too. */
  shorten(until: Millis): void {
    for (const [key, entry] of [...this.#entries])
      if (entry.until > until) this.#entries.set(key, { rows: entry.rows, until: millis(until) });
  }
}

function charactersOf({ rows }: StoreRows): number {
  let count = 0;
  for (const row of rows)
    for (const value of row) {
      if (typeof value === 'string') count += value.length;
      else if (value !== null) for (const each of value) count += each.length;
    }
  return count;
}
