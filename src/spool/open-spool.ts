import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Events } from '../events/index.ts';
import { type Chance, type Clock, type Disk, DiskError } from '../world/index.ts';
import { Alarm, because } from './alarm.ts';
import { Compaction } from './compaction.ts';
import { Damage } from './damage.ts';
import { type Inventory, inventory, listed } from './inventory.ts';
import { LargeFiles } from './large.ts';
import { Log } from './log.ts';
import { LogSpool } from './log-spool.ts';
import { Receptions } from './receptions.ts';
import { SALT_BYTES } from './record.ts';
import { Recovery } from './recovery.ts';
import { Residency } from './residency.ts';
import { Room } from './room.ts';
import { Shelf } from './shelf.ts';
import { type Spool, SpoolError, type SpoolSettings } from './spool.ts';

export interface OpenSpoolParts {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Draws the salts of segments, which nobody outside must guess. */
  readonly chance?: Chance;
  readonly events?: Pick<Events, 'diagnose'>;
  /** `spoolbase` */
  readonly directory: string;
  readonly settings: SpoolSettings;
  /** Which event loop's segments: `<spoolbase>/L<loop>`. */
  readonly loop?: number;
  /** Bytes after which a segment is ended; 64 MiB. */
  readonly segmentBytes?: number;
  /** Milliseconds after which an ended segment may be compacted; 30 s, since most mail is gone by then anyway. */
  readonly compactionSettleMillis?: number;
}

/**
 * Takes the spool: lock, directories, and a fresh segment to write to. What an earlier process left is read by
 * `recover()`.
 *
 * @throws SpoolError IMP_SPOOL_LOCKED when another process owns it, IMP_SPOOL_READ or IMP_SPOOL_WRITE with what the
 *   system says about the directory
 */
export async function openSpool(parts: OpenSpoolParts): Promise<Spool> {
  const { disk, clock, settings, directory: base } = parts;
  const alarm = new Alarm(parts.events, clock);
  const directoryMode = searchable(settings.spool_mode);
  const directory = `${base}/L${parts.loop ?? 0}`;
  await made(disk, `${directory}/large`, base, directoryMode);
  const lock = await locked(disk, base);
  try {
    return await opened(parts, alarm, directory, directoryMode, lock);
  } catch (cause) {
    await lock[Symbol.asyncDispose]();
    throw cause;
  }
}

async function opened(
  parts: OpenSpoolParts,
  alarm: Alarm,
  directory: string,
  directoryMode: number,
  lock: AsyncDisposable,
): Promise<Spool> {
  const { disk, clock, chance, directory: base } = parts;
  const settings = { current: parts.settings };
  const mode = parts.settings.spool_mode;
  const sync = (): boolean => settings.current.force_fsync;
  const { sequences, large, next } = await found(disk, alarm, base, directory);
  const settleMillis = parts.compactionSettleMillis ?? 30_000;
  const shelf = new Shelf({
    disk,
    clock,
    alarm,
    directory,
    mode,
    sync,
    settleMillis,
    segmentBytes: parts.segmentBytes ?? 64 * 1024 * 1024,
    salt: chance ? () => chance.bytes(SALT_BYTES) : (sequence) => poorSalt(clock, sequence),
    nextSequence: next,
  });
  const files = new LargeFiles(disk, clock, `${directory}/large`, mode, next, (path, cause) => {
    alarm.repeat('large file', 'WARNING', `cannot close or delete ${path}: ${because(cause)}`);
  });
  const residency = new Residency(settings.current.max_resident_messages, settings.current.max_resident_bytes);
  const receptions = new Receptions(shelf, residency, files);
  const room = new Room(disk, clock, base, () => settings.current.spool_min_free, alarm);
  const log = new Log({
    clock,
    alarm,
    shelf,
    receptions,
    room,
    sync,
    admitted: (segment, pending) => spool.admitted(segment, pending),
  });
  const compaction = new Compaction({ clock, alarm, shelf, receptions, log, settleMillis });
  shelf.onSparse = () => compaction.consider();
  const unlink = parts.settings.spool_damaged === 'unlink';
  const damage = new Damage(disk, alarm, `${base}/damaged`, mode, directoryMode, unlink);
  const old = sequences.length > 0 || large.length > 0;
  const recovery = old
    ? new Recovery({
        disk,
        alarm,
        shelf,
        receptions,
        files,
        log,
        damage,
        turn: () => new Promise((resolve) => clock.defer(resolve)),
        sync,
        sequences,
        large,
      })
    : undefined;
  shelf.settled = !old;
  const spool = new LogSpool({
    clock,
    disk,
    alarm,
    shelf,
    receptions,
    residency,
    files,
    log,
    room,
    compaction,
    recovery,
    settings,
    lock,
  });
  try {
    await shelf.start();
  } catch (cause) {
    throw new SpoolError(
      'IMP_SPOOL_WRITE',
      `cannot write in ${directory}: ${because(cause)}. Check its owner and mode.`,
      { cause },
    );
  }
  await room.check();
  if (!sync()) alarm.tell('WARNING', 'force_fsync is false: a power cut may lose mail that was acknowledged.');
  return spool;
}

/**
 * With all its parents, and for good: a file is no safer than the names that lead to it. An earlier start may have made
 * them and ended before they were safe, so the names are synced each time.
 *
 * @param base from here on upwards a directory that was there already may refuse to be synced: it is not ours
 */
async function made(disk: Disk, path: string, base: string, mode: number): Promise<void> {
  try {
    const names: { readonly path: string; readonly ours: boolean }[] = [];
    for (let at = path; dirname(at) !== at; at = dirname(at)) {
      const fresh = (await disk.status(at)) === undefined;
      names.unshift({ path: at, ours: fresh || at.startsWith(`${base}/`) });
    }
    await disk.makeDirectory(path, mode);
    for (const each of names) {
      await disk.syncDirectory(dirname(each.path)).catch((cause: unknown) => {
        if (each.ours || !(cause instanceof DiskError) || cause.code !== 'EACCES') throw cause;
      });
    }
  } catch (cause) {
    throw new SpoolError(
      'IMP_SPOOL_WRITE',
      `cannot make ${path}: ${because(cause)}. Check spoolbase, its owner and mode.`,
      { cause },
    );
  }
}

async function locked(disk: Disk, base: string): Promise<AsyncDisposable> {
  try {
    return await disk.lock(`${base}/lock`);
  } catch (cause) {
    if (cause instanceof DiskError && cause.code === 'ELOCKED') {
      throw new SpoolError(
        'IMP_SPOOL_LOCKED',
        `the spool ${base} has an owner: ${cause.message}. One spool serves one process.`,
        { cause },
      );
    }
    throw new SpoolError('IMP_SPOOL_WRITE', `cannot lock ${base}: ${because(cause)}. Check its owner and mode.`, {
      cause,
    });
  }
}

/** What is there. Files that are not ours are left alone, and told of. */
async function found(disk: Disk, alarm: Alarm, base: string, directory: string): Promise<Inventory> {
  const strange: string[] = [];
  for (const { name, kind } of await listed(disk, base)) {
    const ours =
      kind === 'directory' ? /^(?:L\d+|damaged|ecstream|lost\+found)$/.test(name) : /^lock(?:[.-].*)?$/.test(name);
    if (!ours) strange.push(`${base}/${name}`);
  }
  const here = await inventory(disk, directory);
  strange.push(...here.strange);
  if (strange.length > 0) {
    const more = strange.length > 5 ? ` and ${strange.length - 5} more` : '';
    alarm.tell('WARNING', `not files of the spool, left alone: ${strange.slice(0, 5).join(', ')}${more}`);
  }
  return here;
}

/** Who may read a file may search its directory. */
function searchable(fileMode: number): number {
  return fileMode | ((fileMode & 0o444) >> 2) | 0o300;
}

/** Without chance, as in small tools: hard to guess from outside, and different in each segment. */
function poorSalt(clock: Clock, sequence: number): Uint8Array {
  return createHash('sha256').update(`${clock.date()} ${clock.now()} ${sequence}`).digest().subarray(0, SALT_BYTES);
}
