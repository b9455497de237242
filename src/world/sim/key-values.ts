import { KeyValueError, type KeyValueStores, type KeyValues } from '../key-values.ts';

/** KeyValueStores in memory; a path that is opened again has what it had. */
export class SimKeyValues implements KeyValueStores {
  /** Every call fails from now on. */
  broken = false;
  readonly #contents = new Map<string, Map<string, string>>();

  open(path: string): KeyValues {
    const held = this.#contents.get(path) ?? new Map<string, string>();
    this.#contents.set(path, held);
    const entries = (): Map<string, string> => {
      if (this.broken) throw new KeyValueError(`${path}: disk I/O error`);
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
      write(changes) {
        const all = [...changes];
        for (const [key, value] of all) {
          if (value === undefined) entries().delete(key);
          else entries().set(key, value);
        }
      },
      [Symbol.dispose]: () => undefined,
    };
  }
}

const order = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
