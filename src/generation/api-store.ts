import { dirname } from 'node:path';
import { type Millis, millis } from '../base/index.ts';
import { type Generation, ownOption, type Place, path } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import {
  type Clock,
  type Disk,
  DiskError,
  type KeyValueEntry,
  KeyValueError,
  type KeyValueStores,
  type KeyValues,
} from '../world/index.ts';

export const apiStoreFile = ownOption('api_store_file', path, {
  scopes: ['global'],
  initial: '/var/lib/impetus/api.db',
  dynamic: false,
  summary:
    'file of stored templates, the suppression list and what else HTTP keeps; made with its directory at the start of a server with an HTTP_Listener',
});

/** It holds addresses of people: nobody but the server's user and group looks in. */
const DIRECTORY_MODE = 0o750;
/** Between two tries to use a store that could not be used. */
const AGAIN_MILLIS = 5000;
/** Between two looks at whether the file is still there. */
const LOOK_MILLIS = 1000;
/** Written to find out whether a store can be written again. */
const TRIAL = 'trial';

export interface ApiStoreParts {
  readonly clock: Pick<Clock, 'now' | 'at'>;
  readonly disk: Pick<Disk, 'makeDirectory'>;
  readonly keyValues: KeyValueStores;
  readonly events: Pick<Events, 'diagnose'>;
  readonly path: string;
}

/** What rooms that keep something in the store see of it. Each call @throws KeyValueError */
export type StoreDoor = Omit<KeyValues, typeof Symbol.dispose | 'isLost'>;

/**
 * The store of everything that HTTP keeps beside mail. A store that cannot be used is told of once, in the paniclog, and
 * tried again until it can be: until then every call fails at once, and whoever would need it can know before.
 *
 * A file that somebody removes takes all suppressions with it, and what would be written then, nobody would find after a
 * restart. So it counts as one that cannot be used, and only a start makes an empty one: another file at its place is opened.
 */
export class ApiStore implements StoreDoor, Disposable {
  readonly #parts: ApiStoreParts;
  #open: KeyValues | undefined;
  #trouble: string | undefined;
  #timer: Disposable | undefined;
  #closed = false;
  /** It was open in this run: an empty one must not take its place. */
  #had = false;
  #lookedAt: Millis | undefined;
  readonly #ready: (() => void)[] = [];

  constructor(parts: ApiStoreParts) {
    this.#parts = parts;
  }

  /** Why it cannot be used now, for the operator; undefined: nothing is known against it. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Calls it when the store is open, and each time when it can be used again. */
  onReady(hear: () => void): void {
    this.#ready.push(hear);
  }

  /** Makes the directory and opens the file. Never rejects: an operator is told, and it is tried again. */
  async start(): Promise<void> {
    if (this.#open !== undefined || this.#trouble !== undefined || this.#closed) return;
    try {
      await this.#parts.disk.makeDirectory(dirname(this.#parts.path), DIRECTORY_MODE);
      this.#opened();
    } catch (error) {
      return this.#broken(error);
    }
    for (const hear of this.#ready) hear();
  }

  get(key: string): string | undefined {
    return this.#use((store) => store.get(key));
  }

  scan(from: string, below: string, most: number): readonly KeyValueEntry[] {
    return this.#use((store) => store.scan(from, below, most));
  }

  write(changes: Iterable<readonly [key: string, value: string | undefined]>): void {
    this.#use((store) => {
      store.write(changes);
      this.#look(store);
    });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#open?.[Symbol.dispose]();
  }

  #use<T>(work: (store: KeyValues) => T): T {
    if (this.#trouble !== undefined) throw new KeyValueError(this.#trouble);
    try {
      const store = this.#opened();
      const now = this.#parts.clock.now();
      if (this.#lookedAt === undefined || now - this.#lookedAt >= LOOK_MILLIS) this.#look(store);
      return work(store);
    } catch (error) {
      if (error instanceof KeyValueError) this.#broken(error);
      throw error;
    }
  }

  #opened(): KeyValues {
    const { keyValues, path } = this.#parts;
    this.#open ??= this.#had ? keyValues.reopen(path) : keyValues.open(path);
    this.#had = true;
    return this.#open;
  }

  #look(store: KeyValues): void {
    this.#lookedAt = this.#parts.clock.now();
    if (store.isLost()) throw new KeyValueError(`${this.#parts.path} is gone`);
  }

  /** @throws what is a bug of ours */
  #broken(error: unknown): void {
    if (!(error instanceof KeyValueError || error instanceof DiskError)) throw error;
    if (this.#closed) return;
    if (this.#trouble === undefined)
      this.#parts.events.diagnose(
        'ERROR',
        'generation',
        `API_Store_File cannot be used: ${error.message}. Transmissions are answered with 503, and those that were taken wait, until it can be; it is tried again every ${AGAIN_MILLIS / 1000} seconds`,
      );
    this.#trouble = error.message;
    const due: Millis = millis(this.#parts.clock.now() + AGAIN_MILLIS);
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#parts.clock.at(due, () => void this.#again());
  }

  /** From the beginning: whatever is wrong with a handle, a new one does not inherit it. Never rejects. */
  async #again(): Promise<void> {
    try {
      this.#dropped();
      await this.#parts.disk.makeDirectory(dirname(this.#parts.path), DIRECTORY_MODE);
      if (this.#closed) return;
      const store = this.#opened();
      store.write([[TRIAL, String(this.#parts.clock.now())]]);
      this.#look(store);
    } catch (error) {
      return this.#broken(error);
    }
    this.#trouble = undefined;
    this.#parts.events.diagnose('NOTICE', 'generation', `API_Store_File can be used again: ${this.#parts.path}`);
    for (const hear of this.#ready) hear();
  }

  #dropped(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.[Symbol.dispose]();
  }
}

/** Entries that are looked at in one go. */
const PAGE = 1000;

/**
 * Entries between two keys, page by page, so that whoever walks through millions can let others have their turn.
 *
 * @throws KeyValueError
 */
export function* pagesOf(
  store: Pick<StoreDoor, 'scan'>,
  from: string,
  below: string,
  most = PAGE,
): Generator<readonly KeyValueEntry[]> {
  for (let at = from; ; ) {
    const entries = store.scan(at, below, most);
    const last = entries.at(-1);
    if (last === undefined) return;
    yield entries;
    if (entries.length < most) return;
    at = `${last.key}\u0000`;
  }
}

/** Whether mail can come by HTTP: only then a store is made. */
export const servesHttp = (generation: Pick<Generation, 'listens'>): boolean =>
  generation.listens().some(({ listener }) => listener === 'http_listener');

/**
 * What a start would find of the store's file, without changing anything.
 *
 * @returns warnings: another user may be allowed what this one is not
 */
export async function apiStoreNotes(
  generation: Pick<Generation, 'listens' | 'global' | 'settings'>,
  disk: Pick<Disk, 'status' | 'writable'>,
): Promise<readonly { readonly place: Place; readonly text: string }[]> {
  const door = generation.listens().find(({ listener }) => listener === 'http_listener');
  if (door === undefined) return [];
  const file = generation.global.get(apiStoreFile);
  const [set] = generation.settings([apiStoreFile]);
  const why = await unusable(file, disk);
  if (why === undefined) return [];
  const place = set?.placeOf(apiStoreFile) ?? door.place;
  return [{ place, text: `API_Store_File = ${file}: ${why}: mail by HTTP would be answered with 503` }];
}

/** @returns why a start could not make or open it */
async function unusable(file: string, disk: Pick<Disk, 'status' | 'writable'>): Promise<string | undefined> {
  try {
    const there = await disk.status(file);
    if (there !== undefined && there.kind !== 'file') return 'it is no file';
    let directory = dirname(file);
    let missing = there === undefined ? file : undefined;
    for (;;) {
      const status = await disk.status(directory);
      if (status !== undefined && status.kind !== 'directory') return `${directory} is no directory`;
      if (status !== undefined) break;
      missing = directory;
      if (dirname(directory) === directory) return `${directory} is not there`;
      directory = dirname(directory);
    }
    if (await disk.writable(missing ?? file)) return undefined;
    const made = missing === undefined || missing === file ? '' : `, and ${missing} cannot be made in it`;
    return `${directory} is not open to this user for writing${made}`;
  } catch (error) {
    if (error instanceof DiskError) return error.message;
    throw error;
  }
}
