import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Millis, millis } from '../../base/index.ts';
import { formatId, type MessageId, parseId } from '../../message/index.ts';
import type { Clock, Disk, DiskFile } from '../../world/index.ts';
import { KEY_SECONDS, MOST_KEYS, SUM_BYTES } from './dedup-keys.ts';

/** Sum, id, second of acceptance, check. */
const ENTRY = SUM_BYTES + 8 + 4 + 4;
const NAME = /^ecstream-keys\.(\d+)$/;
/** A disk that refuses is asked again after this long. */
const PAUSE = 1000;
const SYNC_EVERY = 1000;
/** Milliseconds. */
const GATHER = 25;
/** Every start begins a file of its own: the oldest of so many goes, however few keys are in them. */
const MOST_FILES = 100;

export interface DedupJournalParts {
  readonly disk: Disk;
  readonly clock: Clock;
  /** A folder of its own. */
  readonly directory: string;
  readonly complain: (text: string) => void;
  /** Entries of a file; a test makes it small. */
  readonly entriesOfFile?: number;
}

/** One file of keys. */
interface KeyFile {
  readonly number: number;
  entries: number;
  /** Second of its newest entry. */
  newest: number;
}

/**
 * Keys on disk, so that a repeat after a restart is known. Each message also carries its key in the spool, with the same
 * sync that its acknowledgement waits for; what stands here serves those that have been delivered since. So nobody
 * waits for this file: entries of many turns go out in one write, and it is synced once a second. A crash of the process
 * loses none of what was written, a power cut at most the last second's.
 *
 * A file is given up when its keys are all too old, or when those behind it hold as many as are remembered.
 */
export class DedupJournal {
  readonly #parts: DedupJournalParts;
  #file: DiskFile | undefined;
  #number = 0;
  /** The oldest first; the last is written to, once there is `#file`. */
  readonly #files: KeyFile[] = [];
  #unsynced = false;
  #syncing: Disposable | undefined;
  #syncedAt = Number.NEGATIVE_INFINITY;
  #waiting: Buffer[] = [];
  #working: Promise<void> | undefined;
  #complained = false;
  #closed = false;

  private constructor(parts: DedupJournalParts) {
    this.#parts = parts;
  }

  /** @param found called with each key that is not too old, in order. A disk that gives nothing back is complained of */
  static async open(
    parts: DedupJournalParts,
    found: (sum: Buffer, id: MessageId, at: Millis) => void,
  ): Promise<DedupJournal> {
    const journal = new DedupJournal(parts);
    try {
      await journal.#load(found);
    } catch (error) {
      journal.#tell(error, 'read');
    }
    return journal;
  }

  async #load(found: (sum: Buffer, id: MessageId, at: Millis) => void): Promise<void> {
    const { disk, clock, directory } = this.#parts;
    // Who never had a client has no such folder.
    if ((await disk.status(directory)) === undefined) return;
    const numbers = (await disk.list(directory))
      .flatMap(({ name }) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((one, other) => one - other);
    this.#number = numbers.at(-1) ?? 0;
    const now = Math.floor(clock.date() / 1000);
    for (const number of numbers) {
      try {
        const bytes = Buffer.from(await disk.read(this.#path(number)));
        this.#files.push({ number, entries: Math.floor(bytes.length / ENTRY), newest: entriesIn(bytes, now, found) });
      } catch (error) {
        // It may be there again at the next start.
        this.#files.push({ number, entries: 0, newest: now });
        this.#tell(error, 'read');
      }
    }
  }

  add(sum: Buffer, id: MessageId, at: Millis): void {
    const parts = parseId(id);
    if (parts === undefined || this.#closed || this.#waiting.length >= MOST_KEYS) return;
    const entry = Buffer.allocUnsafe(ENTRY);
    sum.copy(entry, 0, 0, SUM_BYTES);
    entry.writeUInt16BE(parts.counter, SUM_BYTES);
    entry.writeUInt16BE(parts.instance, SUM_BYTES + 2);
    entry.writeUInt32BE(parts.second, SUM_BYTES + 4);
    entry.writeUInt32BE(Math.floor(at / 1000), SUM_BYTES + 8);
    entry.writeUInt32BE(crc32(entry.subarray(0, ENTRY - 4)), ENTRY - 4);
    this.#waiting.push(entry);
    this.#working ??= this.#work();
  }

  async close(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    this.#closed = true;
    this.#syncing?.[Symbol.dispose]();
    await this.#file?.sync().catch(() => undefined);
    await this.#file?.close().catch(() => undefined);
  }

  get #most(): number {
    return this.#parts.entriesOfFile ?? MOST_KEYS;
  }

  #path(number: number): string {
    return `${this.#parts.directory}/ecstream-keys.${number}`;
  }

  async #work(): Promise<void> {
    // What comes in the next moments goes with it. Until then only the spool knows the key: in it are all but those that
    // are delivered within these milliseconds.
    const { clock } = this.#parts;
    await new Promise<void>((resolve) => {
      clock.at(millis(clock.now() + GATHER), resolve);
    });
    do {
      try {
        await this.#write(this.#waiting.splice(0, Math.min(this.#waiting.length, 4096)));
        await this.#sync();
      } catch (error) {
        this.#tell(error, 'written');
        await this.#file?.close().catch(() => undefined);
        this.#file = undefined;
        this.#unsynced = false;
        // The keys that were lost are still in memory; only a restart would not know them.
        await new Promise<void>((resolve) => {
          clock.at(millis(clock.now() + PAUSE), resolve);
        });
        if (this.#waiting.length > 4096) this.#waiting.length = 0;
        break;
      }
    } while (this.#waiting.length > 0);
    this.#working = this.#waiting.length > 0 && !this.#closed ? this.#work() : undefined;
  }

  async #write(batch: readonly Buffer[]): Promise<void> {
    const last = batch.at(-1);
    if (last === undefined) return;
    let into = this.#files.at(-1);
    // No entry is put behind a torn one: what an earlier process, or a disk that failed, has left is full.
    if (this.#file === undefined || into === undefined || into.entries >= this.#most) into = await this.#turn();
    into.entries += batch.length;
    into.newest = last.readUInt32BE(SUM_BYTES + 8);
    this.#unsynced = true;
    await this.#file?.write(batch.length === 1 ? batch : [Buffer.concat(batch)]);
  }

  /** Once a second as long as there is something to sync. */
  async #sync(): Promise<void> {
    const { clock } = this.#parts;
    if (!this.#unsynced) return;
    const due = this.#syncedAt + SYNC_EVERY;
    if (clock.now() < due) {
      this.#syncing ??= clock.at(millis(due), () => {
        this.#syncing = undefined;
        this.#working ??= this.#work();
      });
      return;
    }
    this.#syncedAt = clock.now();
    this.#unsynced = false;
    await this.#file?.sync();
  }

  /** A new file. */
  async #turn(): Promise<KeyFile> {
    const { disk, clock, directory } = this.#parts;
    await this.#file?.close();
    this.#file = undefined;
    await disk.makeDirectory(directory, 0o700);
    // A number that cannot be had is not tried again.
    this.#number += 1;
    this.#file = await disk.open(this.#path(this.#number), 'create', 0o600);
    await disk.syncDirectory(directory);
    await disk.syncDirectory(dirname(directory));
    const file = { number: this.#number, entries: 0, newest: 0 };
    this.#files.push(file);
    const oldest = clock.date() / 1000 - KEY_SECONDS;
    for (let first = this.#files[0]; first !== undefined && first !== file; first = this.#files[0]) {
      let behind = 0;
      for (const { entries } of this.#files.slice(1)) behind += entries;
      if (behind < this.#most && first.newest >= oldest && this.#files.length <= MOST_FILES) break;
      this.#files.shift();
      await disk.remove(this.#path(first.number));
    }
    return file;
  }

  #tell(error: unknown, what: 'read' | 'written'): void {
    if (this.#complained) return;
    this.#complained = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#parts.complain(
      `ECStream keys cannot be ${what} in ${this.#parts.directory}: ${why}. Messages are safe; after a restart a ` +
        'message that a client sends again may be taken twice.',
    );
  }
}

/** @returns the second of the newest entry */
function entriesIn(bytes: Buffer, now: number, found: (sum: Buffer, id: MessageId, at: Millis) => void): number {
  let newest = 0;
  for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
    const entry = bytes.subarray(at, at + ENTRY);
    // A torn write at the end, or a damaged disk: at worst a repeat is taken.
    if (crc32(entry.subarray(0, ENTRY - 4)) !== entry.readUInt32BE(ENTRY - 4)) continue;
    const second = entry.readUInt32BE(SUM_BYTES + 8);
    newest = Math.max(newest, second);
    if (second < now - KEY_SECONDS) continue;
    const id = formatId({
      counter: entry.readUInt16BE(SUM_BYTES),
      instance: entry.readUInt16BE(SUM_BYTES + 2),
      second: entry.readUInt32BE(SUM_BYTES + 4),
    });
    found(entry.subarray(0, SUM_BYTES), id, millis(second * 1000));
  }
  return newest;
}
