/** What was resolved in one go: every message up to `seq`, and the ids of the accepted among them, in order. */
export interface Resolved {
  readonly seq: number;
  readonly ids: readonly string[];
}

interface Entry {
  readonly seq: number;
  bytes: number;
  resolved: boolean;
  id: string | undefined;
}

/** Messages of one connection, from their first frame until an ACK covers them. Results come in any order. */
export class Unresolved {
  readonly #entries: Entry[] = [];
  #head = 0;
  /** Messages without a result, and their bytes. */
  count = 0;
  bytes = 0;
  #acknowledged = 0;
  #covered = 0;
  #ids: string[] = [];

  begin(seq: number, bytes: number): void {
    this.#entries.push({ seq, bytes, resolved: false, id: undefined });
    this.count += 1;
    this.bytes += bytes;
  }

  /** The message that was begun last has more. */
  grow(bytes: number): void {
    const last = this.#entries.at(-1);
    if (last === undefined || last.resolved) return;
    last.bytes += bytes;
    this.bytes += bytes;
  }

  /** The message that was begun last has never been. */
  withdraw(): void {
    const last = this.#entries.pop();
    if (last === undefined || last.resolved) return;
    this.count -= 1;
    this.bytes -= last.bytes;
  }

  /** @param id of an accepted message; undefined: it was refused */
  resolve(seq: number, id: string | undefined): void {
    const first = this.#entries[this.#head];
    const entry = first === undefined ? undefined : this.#entries[this.#head + seq - first.seq];
    if (entry === undefined || entry.resolved) return;
    entry.resolved = true;
    entry.id = id;
    this.count -= 1;
    this.bytes -= entry.bytes;
    for (let next = this.#entries[this.#head]; next?.resolved === true; next = this.#entries[++this.#head]) {
      this.#covered = next.seq;
      if (next.id !== undefined) this.#ids.push(next.id);
    }
    if (this.#head > 256) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** @returns undefined when there is nothing new */
  take(): Resolved | undefined {
    if (this.#covered === this.#acknowledged) return undefined;
    this.#acknowledged = this.#covered;
    const ids = this.#ids;
    this.#ids = [];
    return { seq: this.#covered, ids };
  }
}
