/**
 * What must be kept and is no mail: texts under keys, in the order of the keys. Small and synchronous: a look takes
 * microseconds, a write waits for the disk, so whoever writes often gathers.
 */
export interface KeyValues extends Disposable {
  /** @throws KeyValueError */
  get(key: string): string | undefined;
  /**
   * Entries with `from <= key < below`, in order, at most `most` of them. Keys are compared by their UTF-8 bytes.
   * @throws KeyValueError
   */
  scan(from: string, below: string, most: number): readonly KeyValueEntry[];
  /** All of it or nothing; durable when it returns. `undefined` removes. @throws KeyValueError */
  write(changes: Iterable<readonly [key: string, value: string | undefined]>): void;
  /** The file at its path is another one, or none: what is written now, nobody finds. A system call. */
  isLost(): boolean;
}

export interface KeyValueEntry {
  readonly key: string;
  readonly value: string;
}

export interface KeyValueStores {
  /** Opens a store, made when there is none; its directory must be there. @throws KeyValueError */
  open(path: string): KeyValues;
  /** Opens a store that is there. @throws KeyValueError */
  reopen(path: string): KeyValues;
}

/** The disk does not do what it should, or the file is not one of ours; the message is for the operator. */
export class KeyValueError extends Error {}
