import { type Disk, DiskError, type DiskFile } from '../world/index.ts';
import { because } from './alarm.ts';
import type { Source } from './hold.ts';
import { inventory } from './inventory.ts';
import { segmentPath } from './shelf.ts';
import { SpoolError } from './spool.ts';

/** A server that changes segments this often while we open them is past belief: then what is open must do. */
const MOST_ATTEMPTS = 20;

/** A segment as it was when the snapshot was taken. */
export interface Sheet extends Source {
  readonly sequence: number;
  readonly size: number;
  readonly file: DiskFile;
}

export interface Snapshot {
  /** Rising. */
  readonly sheets: readonly Sheet[];
  /** Names in `large/`. */
  readonly large: readonly string[];
  /** Segments that could not be opened, and why. */
  readonly closed: readonly { readonly path: string; readonly sequence: number; readonly why: string }[];
}

/**
 * The segments of one event loop at one moment, without the lock, beside a server that goes on working. All are open,
 * so that none can be taken away any more: whatever lived at that moment stands in one of them, since a server moves a
 * record before it deletes the segment it moves it from. One that vanished between the list and its opening means that
 * the list is old, and a new one is made.
 *
 * @throws SpoolError IMP_SPOOL_READ
 */
export async function takeSnapshot(disk: Disk, directory: string): Promise<Snapshot> {
  for (let attempt = 1; ; attempt++) {
    const { sequences, large } = await inventory(disk, directory);
    const sheets: Sheet[] = [];
    const closed: Snapshot['closed'][number][] = [];
    let vanished = 0;
    try {
      // The head first: its size now is the moment of which all the rest tells.
      for (const sequence of sequences.toReversed()) {
        const path = segmentPath(directory, sequence);
        try {
          const file = await disk.open(path, 'read');
          sheets.push({ sequence, path, file, size: file.size, read: (at, length) => file.read(at, length) });
        } catch (cause) {
          if (cause instanceof DiskError && cause.code === 'ENOENT') {
            vanished++;
            break;
          }
          if (cause instanceof DiskError && cause.code === 'EMFILE') throw tooMany(directory, sequences.length, cause);
          closed.push({ path, sequence, why: because(cause) });
        }
      }
      const still = vanished === 0 ? (await inventory(disk, directory)).sequences : [];
      const same =
        vanished === 0 && still.length === sequences.length && still.every((each, i) => each === sequences[i]);
      if (same || (vanished === 0 && attempt >= MOST_ATTEMPTS)) return { sheets: sheets.reverse(), large, closed };
      if (attempt >= MOST_ATTEMPTS * 5)
        throw new SpoolError('IMP_SPOOL_READ', `the segments of ${directory} change too fast to be read. Try again.`);
    } catch (cause) {
      await closeAll(sheets);
      throw cause;
    }
    await closeAll(sheets);
  }
}

export async function closeAll(sheets: readonly Sheet[]): Promise<void> {
  // They were only read: nothing can be lost by a close that fails.
  for (const { file } of sheets) await file.close().catch(() => undefined);
}

function tooMany(directory: string, count: number, cause: unknown): SpoolError {
  return new SpoolError(
    'IMP_SPOOL_READ',
    `${directory} has ${count} segments, more than this process may open at once. Raise its limit (ulimit -n).`,
    { cause },
  );
}
