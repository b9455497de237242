import { Ring } from '../base/index.ts';
import type { QueueItem } from './item.ts';

/**
 * What is due, in the order in which it became due. An item that leaves from the middle (failed, expired) leaves a
 * stale entry behind, which is dropped when it comes up or when more than half of the entries are stale: nothing is
 * searched for, and nothing gathers in a queue that nobody takes from.
 */
export class ActiveQueue {
  readonly #ring = new Ring<QueueItem>();
  #size = 0;

  /** Items that are due. */
  get size(): number {
    return this.#size;
  }

  /** Entries, with the stale ones. */
  get entries(): number {
    return this.#ring.length;
  }

  /** @param first  before all others: it was taken too early */
  add(item: QueueItem, first: boolean): void {
    item.place = 'active';
    this.#size++;
    // An entry that is still there stands earlier than a new one would: it becomes valid again.
    if (item.inRing) return;
    item.inRing = true;
    if (first) this.#ring.unshift(item);
    else this.#ring.push(item);
  }

  /** @returns the first item; it stays in */
  peek(): QueueItem | undefined {
    for (;;) {
      const item = this.#ring.peek();
      if (item === undefined || item.place === 'active') return item;
      this.#ring.shift();
      item.inRing = false;
    }
  }

  /** Takes out the first item. */
  shift(): QueueItem | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    this.#ring.shift();
    item.inRing = false;
    item.place = 'gone';
    this.#size--;
    return item;
  }

  /** Takes out an item from wherever it stands. */
  remove(item: QueueItem): void {
    item.place = 'gone';
    this.#size--;
    if (this.#ring.length > LEAST_SWEPT && this.#ring.length > 2 * this.#size) this.#sweep();
  }

  *[Symbol.iterator](): IterableIterator<QueueItem> {
    // A reader may be slower than the queue: entries that have gone since are not there any more.
    for (const item of this.#ring as Iterable<QueueItem | undefined>) if (item?.place === 'active') yield item;
  }

  #sweep(): void {
    for (let left = this.#ring.length; left > 0; left--) {
      const item = this.#ring.shift();
      if (item === undefined) return;
      if (item.place === 'active') this.#ring.push(item);
      else item.inRing = false;
    }
  }
}

/** Fewer stale entries than this are not worth a sweep. */
const LEAST_SWEPT = 64;
