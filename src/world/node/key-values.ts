import { type BigIntStats, closeSync, openSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type KeyValueEntry, KeyValueError, type KeyValueStores, type KeyValues } from '../key-values.ts';

/**
 * What brings a file from one version to the next: the first makes it. `PRAGMA user_version` says how many have run, and
 * each runs in one transaction with that number.
 */
const MIGRATIONS: readonly string[] = [
  'CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT',
];

/** It holds addresses of people. */
const FILE_MODE = 0o640;

/** How long another process may hold the file, in milliseconds. */
const BUSY = 2000;

/** KeyValueStores in SQLite, one file each, with a log beside it. */
export class NodeKeyValues implements KeyValueStores {
  readonly #migrations: readonly string[];

  constructor(migrations: readonly string[] = MIGRATIONS) {
    this.#migrations = migrations;
  }

  reopen(path: string): KeyValues {
    if (told(path, () => fileAt(path)) === undefined) throw new KeyValueError(`${path} is gone`);
    return this.open(path);
  }

  open(path: string): KeyValues {
    return told(path, () => {
      // Only who has a store loads it: Node 22 warns on standard error that it is new.
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
      // SQLite would make it for everybody to read; what stands beside it gets the same mode. One that is there is not
      // opened: to close it would take SQLite's locks away.
      if (fileAt(path) === undefined) closeSync(openSync(path, 'ax', FILE_MODE));
      const database = new DatabaseSync(path);
      try {
        database.exec(`PRAGMA busy_timeout = ${BUSY}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
        this.#migrate(database, path);
        return new SqliteKeyValues(database, path);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  #migrate(database: DatabaseSync, path: string): void {
    const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (found > this.#migrations.length)
      throw new KeyValueError(
        `${path} has version ${found} of the store, and this server knows versions up to ${this.#migrations.length}: it was written by a newer one`,
      );
    for (let version = found; version < this.#migrations.length; version++)
      database.exec(`BEGIN IMMEDIATE; ${this.#migrations[version]}; PRAGMA user_version = ${version + 1}; COMMIT`);
  }
}

class SqliteKeyValues implements KeyValues {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #file: BigIntStats | undefined;
  readonly #get;
  readonly #scan;
  readonly #put;
  readonly #drop;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#file = fileAt(path);
    this.#get = database.prepare('SELECT value FROM entry WHERE key = ?');
    this.#scan = database.prepare('SELECT key, value FROM entry WHERE key >= ? AND key < ? ORDER BY key LIMIT ?');
    this.#put = database.prepare(
      'INSERT INTO entry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#drop = database.prepare('DELETE FROM entry WHERE key = ?');
  }

  get(key: string): string | undefined {
    return told(this.#path, () => (this.#get.get(key) as { value: string } | undefined)?.value);
  }

  scan(from: string, below: string, most: number): readonly KeyValueEntry[] {
    return told(this.#path, () => this.#scan.all(from, below, most) as unknown as readonly KeyValueEntry[]);
  }

  write(changes: Iterable<readonly [string, string | undefined]>): void {
    told(this.#path, () => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        for (const [key, value] of changes) {
          if (value === undefined) this.#drop.run(key);
          else this.#put.run(key, value);
        }
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  isLost(): boolean {
    return told(this.#path, () => {
      const file = fileAt(this.#path);
      return file === undefined || file.ino !== this.#file?.ino || file.dev !== this.#file.dev;
    });
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

const fileAt = (path: string): BigIntStats | undefined => statSync(path, { bigint: true, throwIfNoEntry: false });

function told<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof KeyValueError) throw error;
    throw new KeyValueError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
