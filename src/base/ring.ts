/** A queue that grows by doubling and never moves its items to take one out, as `Array.shift` does. */
export class Ring<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(8).fill(undefined);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#resize(this.#length * 2);
    this.#slots[(this.#first + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
  }

  /** Puts an item before all others: what was taken too early goes back. */
  unshift(item: T): void {
    if (this.#length === this.#slots.length) this.#resize(this.#length * 2);
    this.#first = (this.#first - 1) & (this.#slots.length - 1);
    this.#slots[this.#first] = item;
    this.#length++;
  }

  /** Takes out the oldest item. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#first];
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#slots.length - 1);
    this.#length--;
    // One burst must not keep its memory for ever; a quarter full leaves room, so that the size does not flutter.
    if (this.#slots.length > 1024 && this.#length < this.#slots.length / 4) this.#resize(this.#slots.length / 2);
    return item;
  }

  /** @returns the oldest item; it stays in */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[this.#first];
  }

  clear(): void {
    this.#slots = new Array<T | undefined>(8).fill(undefined);
    this.#first = 0;
    this.#length = 0;
  }

  /** Oldest first. The ring must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let index = 0; index < this.#length; index++) {
      yield this.#slots[(this.#first + index) & (this.#slots.length - 1)] as T;
    }
  }

  /** @param size a power of two, so that a mask wraps an index */
  #resize(size: number): void {
    const slots = new Array<T | undefined>(size).fill(undefined);
    for (let index = 0; index < this.#length; index++) {
      slots[index] = this.#slots[(this.#first + index) & (this.#slots.length - 1)];
    }
    this.#slots = slots;
    this.#first = 0;
  }
}
