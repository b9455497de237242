/**
 * A 4-ary min-heap. With `moved` an item learns its position, and can then be removed or reordered in O(log n).
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (one: T, other: T) => boolean;
  readonly #moved: (item: T, position: number) => void;

  /**
   * @param before whether `one` comes out earlier; must be a strict order
   * @param moved  hears each change of an item's position; -1 when it has left
   */
  constructor(before: (one: T, other: T) => boolean, moved: (item: T, position: number) => void = () => undefined) {
    this.#before = before;
    this.#moved = moved;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1, item);
  }

  /** @returns the item that comes first; it stays in */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Takes out the item that comes first. */
  pop(): T | undefined {
    return this.#items.length === 0 ? undefined : this.remove(0);
  }

  /** Takes out the item at a position that `moved` told. @throws RangeError when nothing is there */
  remove(position: number): T {
    const items = this.#items;
    if (!(position >= 0 && position < items.length)) throw new RangeError(`no item at ${position} of ${items.length}`);
    const item = items[position] as T;
    const last = items.pop() as T;
    if (position < items.length) this.#settle(position, last);
    this.#moved(item, -1);
    return item;
  }

  /** The order of the item at that position has changed. @throws RangeError when nothing is there */
  update(position: number): void {
    const items = this.#items;
    if (!(position >= 0 && position < items.length)) throw new RangeError(`no item at ${position} of ${items.length}`);
    this.#settle(position, items[position] as T);
  }

  clear(): void {
    for (const item of this.#items.splice(0)) this.#moved(item, -1);
  }

  /** All items, in no order. The heap must not change meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }

  #settle(position: number, item: T): void {
    if (position > 0 && this.#before(item, this.#items[(position - 1) >> 2] as T)) this.#rise(position, item);
    else this.#sink(position, item);
  }

  #rise(position: number, item: T): void {
    const items = this.#items;
    while (position > 0) {
      const above = (position - 1) >> 2;
      const parent = items[above] as T;
      if (!this.#before(item, parent)) break;
      items[position] = parent;
      this.#moved(parent, position);
      position = above;
    }
    items[position] = item;
    this.#moved(item, position);
  }

  #sink(position: number, item: T): void {
    const items = this.#items;
    for (;;) {
      const first = position * 4 + 1;
      if (first >= items.length) break;
      const end = Math.min(first + 4, items.length);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (this.#before(items[child] as T, items[least] as T)) least = child;
      }
      const child = items[least] as T;
      if (!this.#before(child, item)) break;
      items[position] = child;
      this.#moved(child, position);
      position = least;
    }
    items[position] = item;
    this.#moved(item, position);
  }
}
