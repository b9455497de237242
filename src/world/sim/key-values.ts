import { KeyValueError, type KeyValueStores, type KeyValues } from '../key-values.ts';

/** KeyValueStores in memory; a path that is opened again has what it had. */
export class SimKeyValues implements KeyValueStores {
  /** Every call fails from now on. */
  broken = false;
  /** Writes are taken and never reach the disk: what a process does in its last moment before a crash. */
  forgetful = false;
  /** So many writes reach the disk before it forgets. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** Writes that were forgotten so. */
  forgotten = 0;
  readonly #contents: Map<string, Map<string, string>>;

  constructor(before: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map()) {
    this.#contents = new Map([...before].map(([path, held]) => [path, new Map(held)]));
  }

  /** Somebody removes the file; who has it open goes on with what nobody else sees. */
  remove(path: string): void {
    this.#contents.delete(path);
  }

  reopen(path: string): KeyValues {
    this.#check(path);
    if (!this.#contents.has(path)) throw new KeyValueError(`${path} is gone`);
    return this.open(path);
  }

  open(path: string): KeyValues {
    this.#check(path);
    const held = this.#contents.get(path) ?? new Map<string, string>();
    this.#contents.set(path, held);
    const entries = (): Map<string, string> => {
      this.#check(path);
      return held;
    };
    return {
      get: (key) => entries().get(key),
      scan: (from, below, most) =>
        [...entries()]
          .filter(([key]) => order(key, from) >= 0 && order(key, below) < 0)
          .sort(([one], [other]) => order(one, other))
          .slice(0, most)
          .map(([key, value]) => ({ key, value })),
      write: (changes) => {
        const all = [...changes];
        const to = entries();
        if (this.forgetful || this.writesLeft-- <= 0) {
          this.forgotten++;
          return;
        }
        for (const [key, value] of all) {
          if (value === undefined) to.delete(key);
          else to.set(key, value);
        }
      },
      isLost: () => this.#contents.get(path) !== held,
      [Symbol.dispose]: () => undefined,
    };
  }

  /** @returns what the next process finds; whoever still has this one can do nothing with it */
  crash(): SimKeyValues {
    this.broken = true;
    return new SimKeyValues(this.#contents);
  }

  #check(path: string): void {
    if (this.broken) throw new KeyValueError(`${path}: disk I/O error`);
  }
}

const order = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
