import type { Body } from './body.ts';

/** Held bodies that are passed over in one search for room: an eviction never walks them all. */
const MOST_PASSED = 32;

/** Bodies kept in memory after their commit: least recently used out first, by count and by bytes, held ones never. */
export class Residency {
  readonly #bodies = new Map<number, Body>();
  #mostBodies: number;
  #mostBytes: number;
  #bytes = 0;

  /** @param mostBodies `max_resident_messages`, 0: no limit; @param mostBytes `max_resident_bytes` */
  constructor(mostBodies: number, mostBytes: number) {
    this.#mostBodies = mostBodies > 0 ? mostBodies : Infinity;
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get bodies(): number {
    return this.#bodies.size;
  }

  limit(mostBodies: number, mostBytes: number): void {
    this.#mostBodies = mostBodies > 0 ? mostBodies : Infinity;
    this.#mostBytes = mostBytes;
    this.#evict();
  }

  add(slot: number, body: Body): void {
    this.#bodies.set(slot, body);
    this.#bytes += body.cost;
    this.#evict();
  }

  get(slot: number): Body | undefined {
    const body = this.#bodies.get(slot);
    if (body !== undefined) {
      this.#bodies.delete(slot);
      this.#bodies.set(slot, body);
    }
    return body;
  }

  /** Forgets a body whose message is gone. Who holds it keeps its bytes. */
  remove(slot: number): void {
    const body = this.#bodies.get(slot);
    if (body === undefined) return;
    this.#bodies.delete(slot);
    this.#bytes -= body.cost;
  }

  /** Out of memory now, unless somebody holds it. */
  drop(slot: number): void {
    if (this.#bodies.get(slot)?.holds === 0) this.remove(slot);
  }

  /** After a lease has ended there may be more in memory than should be. */
  released(): void {
    if (this.#bytes > this.#mostBytes || this.#bodies.size > this.#mostBodies) this.#evict();
  }

  #evict(): void {
    let passed = 0;
    while (this.#bytes > this.#mostBytes || this.#bodies.size > this.#mostBodies) {
      const oldest = this.#bodies.entries().next();
      if (oldest.done) return;
      const [slot, body] = oldest.value;
      if (body.holds === 0) {
        this.remove(slot);
        continue;
      }
      if (++passed > MOST_PASSED) return;
      // In use, so as good as just used.
      this.#bodies.delete(slot);
      this.#bodies.set(slot, body);
    }
  }
}
