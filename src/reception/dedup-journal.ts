import { crc32 } from 'node:zlib';
import { type Millis, millis } from '../base/index.ts';
import { formatId, type MessageId, parseId } from '../message/index.ts';
import type { Clock, Disk, DiskFile } from '../world/index.ts';
import { KEY_SECONDS, MOST_KEYS, SUM_BYTES } from './dedup-keys.ts';

/** Sum, id, second of acceptance, check. */
const ENTRY = SUM_BYTES + 8 + 4 + 4;
const NAME = /^ecstream-keys\.(\d+)$/;
/** A disk that refuses is asked again after this long. */
const PAUSE = 1000;
const SYNC_EVERY = 1000;
/** Milliseconds. */
const GATHER = 25;

export interface DedupJournalParts {
  readonly disk: Disk;
  readonly clock: Clock;
  /** A folder of its own. */
  readonly directory: string;
  readonly complain: (text: string) => void;
  /** Entries of a file; a test makes it small. */
  readonly entriesOfFile?: number;
}

/**
 * Keys on disk, so that a repeat after a restart is known. Each message also carries its key in the spool, with the same
 * sync that its acknowledgement waits for; what stands here serves those that have been delivered since. So nobody
 * waits for this file: entries of many turns go out in one write, and it is synced once a second. A crash of the process
 * loses none of what was written, a power cut at most the last second's.
 *
 * Two files at most: when one is full the other, whose keys are older, is given up.
 */
export class DedupJournal {
  readonly #parts: DedupJournalParts;
  #file: DiskFile | undefined;
  #number = 0;
  #entries = 0;
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
    // A file that an earlier process has left is full, whatever is in it: no entry is put behind a torn one.
    journal.#entries = journal.#most;
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
    const oldest = clock.date() / 1000 - KEY_SECONDS;
    for (const number of numbers) {
      const bytes = Buffer.from(await disk.read(this.#path(number)));
      for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
        const entry = bytes.subarray(at, at + ENTRY);
        // A torn write at the end, or a damaged disk: at worst a repeat is taken.
        if (crc32(entry.subarray(0, ENTRY - 4)) !== entry.readUInt32BE(ENTRY - 4)) continue;
        const second = entry.readUInt32BE(SUM_BYTES + 8);
        if (second < oldest) continue;
        const id = formatId({
          counter: entry.readUInt16BE(SUM_BYTES),
          instance: entry.readUInt16BE(SUM_BYTES + 2),
          second: entry.readUInt32BE(SUM_BYTES + 4),
        });
        found(entry.subarray(0, SUM_BYTES), id, millis(second * 1000));
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
    while (this.#waiting.length > 0) {
      try {
        if (this.#entries >= this.#most) await this.#turn();
        const batch = this.#waiting.splice(0, Math.min(this.#waiting.length, 4096));
        this.#entries += batch.length;
        await this.#file?.write(batch.length === 1 ? batch : [Buffer.concat(batch)]);
        const now = this.#parts.clock.now();
        if (now - this.#syncedAt >= SYNC_EVERY) {
          this.#syncedAt = now;
          await this.#file?.sync();
        }
      } catch (error) {
        this.#tell(error, 'written');
        await this.#file?.close().catch(() => undefined);
        this.#file = undefined;
        this.#entries = this.#most;
        // The keys that were lost are still in memory; only a restart would not know them.
        await new Promise<void>((resolve) => {
          this.#parts.clock.at(millis(this.#parts.clock.now() + PAUSE), resolve);
        });
        if (this.#waiting.length > 4096) this.#waiting.length = 0;
        break;
      }
    }
    this.#working = this.#waiting.length > 0 && !this.#closed ? this.#work() : undefined;
  }

  /** A new file; of the old ones the newest stays. */
  async #turn(): Promise<void> {
    const { disk, directory } = this.#parts;
    await this.#file?.close();
    await disk.makeDirectory(directory, 0o700);
    this.#file = await disk.open(this.#path(this.#number + 1), 'create', 0o600);
    this.#number += 1;
    this.#entries = 0;
    await disk.syncDirectory(directory);
    for (const { name } of await disk.list(directory)) {
      const number = Number(NAME.exec(name)?.[1] ?? Number.NaN);
      if (number < this.#number - 1) await disk.remove(`${directory}/${name}`);
    }
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
