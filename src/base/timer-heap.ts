/**
 * What is due when. A 4-ary heap is shallower than a binary one and reads its children from one place; timers of
 * one due time run in the order they were added, so a simulation repeats itself.
 *
 * Cancelling marks the entry, which is dropped when it comes up; when more than half of a heap is cancelled, it is
 * rebuilt. A server cancels nearly all of its timers, so cancelling must be the cheapest of all.
 */
export class TimerHeap {
  readonly #heap: Entry[] = [];
  readonly #emptied: () => void;
  #sequence = 0;
  #cancelled = 0;

  /** @param emptied called when the last timer has been cancelled, not when it is taken */
  constructor(emptied: () => void = () => undefined) {
    this.#emptied = emptied;
  }

  /** @returns timers that will still run */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** @param due on any scale that only grows @returns dispose it to cancel; doing so late or twice is harmless */
  add(due: number, run: () => void): Disposable {
    const entry = new Entry(this, due, this.#sequence++, run);
    const heap = this.#heap;
    heap.push(entry);
    this.#rise(heap.length - 1);
    return entry;
  }

  /** @returns when the first timer is due, undefined when there is none */
  nextDue(): number | undefined {
    const heap = this.#heap;
    for (let first = heap[0]; first; first = heap[0]) {
      if (first.run) return first.due;
      this.#dropFirst();
      this.#cancelled--;
    }
    return undefined;
  }

  /** Takes out the first timer due at `now` or earlier. @returns what it wants to run */
  take(now: number): (() => void) | undefined {
    const due = this.nextDue();
    if (due === undefined || due > now) return undefined;
    const first = this.#heap[0];
    const run = first?.run;
    if (first) first.run = undefined;
    this.#dropFirst();
    return run;
  }

  /** For entries only. */
  cancelledOne(): void {
    this.#cancelled++;
    if (this.#cancelled === this.#heap.length) this.#emptied();
    if (this.#cancelled > 64 && this.#cancelled > this.#heap.length / 2) this.#rebuild();
  }

  #rebuild(): void {
    const heap = this.#heap;
    let kept = 0;
    for (const entry of heap) if (entry.run) heap[kept++] = entry;
    heap.length = kept;
    this.#cancelled = 0;
    for (let at = (kept - 2) >> 2; at >= 0; at--) this.#sink(at);
  }

  #dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    heap[0] = last;
    this.#sink(0);
  }

  #rise(at: number): void {
    const heap = this.#heap;
    const entry = heap[at] as Entry;
    while (at > 0) {
      const above = (at - 1) >> 2;
      const parent = heap[above] as Entry;
      if (!earlier(entry, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #sink(at: number): void {
    const heap = this.#heap;
    const entry = heap[at] as Entry;
    for (;;) {
      const first = at * 4 + 1;
      if (first >= heap.length) break;
      const end = Math.min(first + 4, heap.length);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (earlier(heap[child] as Entry, heap[least] as Entry)) least = child;
      }
      const child = heap[least] as Entry;
      if (!earlier(child, entry)) break;
      heap[at] = child;
      at = least;
    }
    heap[at] = entry;
  }
}

class Entry implements Disposable {
  readonly due: number;
  readonly sequence: number;
  /** Undefined once it ran or was cancelled; the closure is free then, whatever still holds the entry. */
  run: (() => void) | undefined;
  readonly #heap: TimerHeap;

  constructor(heap: TimerHeap, due: number, sequence: number, run: () => void) {
    this.#heap = heap;
    this.due = due;
    this.sequence = sequence;
    this.run = run;
  }

  [Symbol.dispose](): void {
    if (!this.run) return;
    this.run = undefined;
    this.#heap.cancelledOne();
  }
}

function earlier(one: Entry, other: Entry): boolean {
  return one.due < other.due || (one.due === other.due && one.sequence < other.sequence);
}
