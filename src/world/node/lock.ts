import { access, constants, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DiskError } from '../world.ts';
import { diskError } from './disk-error.ts';

/**
 * One owner for what stands beside `path`. The lock is an exclusive SQLite transaction on that file: the kernel gives
 * it up with the process, however that ends. A pid alone would prove nothing (in containers everybody is 1), so
 * `<path>.pid` only names the owner.
 *
 * Nobody else in the process may open the lock file: closing any descriptor of it drops the lock (fcntl(2)).
 */
export async function lockFile(path: string): Promise<AsyncDisposable> {
  // Loaded when needed: on Node 22 it prints a warning, which one-shot commands need not show.
  const { DatabaseSync } = await import('node:sqlite');
  const owner = `${path}.pid`;
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    throw await whyNot(path, owner, error);
  }
  const held = database;
  try {
    await writeFile(owner, `${process.pid}\n`, { mode: 0o640 });
  } catch (error) {
    held.close();
    throw diskError(owner, error);
  }
  let open = true;
  return {
    [Symbol.asyncDispose]: async () => {
      if (!open) return;
      open = false;
      // First the name, then the lock: the next owner's name must not be removed.
      await unlink(owner).catch(() => undefined);
      held.close();
    },
  };
}

/** Result codes of SQLite, sqlite.org/rescode.html. */
const SQLITE_BUSY = 5;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

async function whyNot(path: string, owner: string, error: unknown): Promise<DiskError> {
  const result =
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  if (result === SQLITE_BUSY) {
    const pid = await readFile(owner, 'latin1').catch(() => '');
    const who = /^[0-9]+\n$/.test(pid) ? `process ${pid.trim()}` : 'another process';
    return new DiskError('ELOCKED', path, `${path} is locked by ${who}`, { cause: error });
  }
  if (result === SQLITE_NOTADB)
    return new DiskError('EINVAL', path, `${path} is no lock file of ours`, { cause: error });
  if (result === SQLITE_CANTOPEN) {
    // SQLite does not tell why; the system does, without opening the file.
    try {
      await access(dirname(path), constants.W_OK | constants.X_OK);
      await access(path, constants.R_OK | constants.W_OK);
    } catch (reason) {
      return diskError(path, reason);
    }
  }
  return diskError(path, error);
}
