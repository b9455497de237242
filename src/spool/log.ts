import { millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import { DiskError } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import { Batch } from './batch.ts';
import { putCopy, putNote, putReception, settleCopy, settleNote } from './encode.ts';
import type { Copy, Note, PendingReception } from './pending.ts';
import type { Receptions } from './receptions.ts';
import type { Room } from './room.ts';
import type { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import { SpoolError } from './spool.ts';

/** Done and state records wait so long for a batch with receptions to ride with. */
const NOTES_WAIT_MS = 50;
/** After two failures in a row the disk is left in peace so long. */
const REST_MS = 1000;
/** A batch grows no further: the next one takes the rest. */
const BATCH_BYTES = 8 * 1024 * 1024;

interface Waiter {
  readonly receptions: number;
  readonly notes: number;
  readonly resolve: () => void;
  readonly reject: (why: SpoolError) => void;
}

export interface LogParts {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly shelf: Shelf;
  readonly receptions: Receptions;
  readonly room: Room;
  readonly sync: () => boolean;
  /** After each batch that holds a reception for good. */
  readonly admitted: (segment: Segment, pending: PendingReception) => void;
}

/**
 * Group commit: one write and one sync at a time. All that waits when a sync ends goes out with the next; there is no
 * timer before receptions, and an idle log writes at the end of the turn.
 *
 * Write and fdatasync of a file that grows, after `node bench/spool.ts --disk` (ext4 on a virtual disk, 10 KB messages,
 * milliseconds a batch of 1, 10 and 40): append and fdatasync 0.19, 0.24, 0.35; append with O_DSYNC 0.22, 0.24, 0.36;
 * overwriting a prepared file 0.13, 0.19, 0.45, the same with O_DSYNC 0.13, 0.18, 0.40. So O_DSYNC gains nothing, and
 * a prepared file gains only in batches so small that the disk is not what limits us; all it holds would be written
 * twice, and a torn tail would no longer end where the file does.
 */
export class Log {
  readonly #parts: LogParts;
  readonly #batch = new Batch();
  #receptions: PendingReception[] = [];
  #notes: Note[] = [];
  #copies: Copy[] = [];
  /** Counted so that `flushed` knows what was before it. */
  #receptionsIn = 0;
  #receptionsOut = 0;
  #notesIn = 0;
  #notesOut = 0;
  #waiters: Waiter[] = [];
  #busy = false;
  #woken = false;
  /** Something is deleted on the strength of the next batch: it is synced whatever the setting. */
  #mustSync = false;
  /** Notes must not wait for receptions any longer. */
  #notesDue = false;
  #notesTimer: Disposable | undefined;
  /** Refused, but not told before their abort record was tried. */
  #refusals: { readonly pending: PendingReception; readonly why: SpoolError }[] = [];
  #failures = 0;
  /** While the disk is left in peace: what it said last. */
  #resting: SpoolError | undefined;
  #restTimer: Disposable | undefined;
  syncs = 0;

  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  receive(pending: PendingReception): void {
    this.#receptionsIn++;
    this.#receptions.push(pending);
    this.#wake();
  }

  note(note: Note): void {
    this.#notesIn++;
    this.#notes.push(note);
    if (this.#notesTimer !== undefined || this.#resting !== undefined) return;
    const { clock } = this.#parts;
    this.#notesTimer = clock.at(millis(clock.now() + NOTES_WAIT_MS), () => {
      this.#notesTimer = undefined;
      this.#notesDue = true;
      this.#wake();
    });
  }

  /** Records of compaction, with the notes that belong to them. @throws SpoolError, and then nothing has moved */
  copy(copies: readonly Copy[], notes: readonly Note[]): Promise<void> {
    for (const copy of copies) this.#copies.push(copy);
    for (const note of notes) this.note(note);
    this.#mustSync = true;
    return this.flushed();
  }

  /** All that was given so far is on disk. @throws SpoolError when its batch failed */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ receptions: this.#receptionsIn, notes: this.#notesIn, resolve, reject });
      this.#notesDue = true;
      this.#wake();
    });
  }

  /** No timer is left behind. */
  close(): void {
    this.#notesTimer?.[Symbol.dispose]();
    this.#restTimer?.[Symbol.dispose]();
  }

  #wake(): void {
    if (this.#busy || this.#woken) return;
    this.#woken = true;
    this.#parts.clock.defer(() => {
      this.#woken = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#receptions.length > 0 || this.#copies.length > 0 || this.#notesDue) await this.#write();
    } finally {
      this.#busy = false;
    }
  }

  /** One batch, for better or worse. */
  async #write(): Promise<void> {
    const { shelf, room } = this.#parts;
    const refusals = this.#refusals;
    this.#refusals = [];
    if (this.#resting) {
      this.#answer(refusals);
      this.#refuseWaiting(this.#resting);
      this.#giveUp(this.#resting);
      this.#notesDue = false;
      return;
    }
    if (this.#receptions.length > 0) {
      const looking = room.look();
      if (looking) await looking;
      if (room.full) this.#refuseWaiting(full());
    }
    if (this.#receptions.length === 0 && this.#copies.length === 0 && this.#notes.length === 0) {
      this.#notesDue = false;
      this.#mustSync = false;
      this.#answer(refusals);
      // Nothing waits and nothing is under way: whatever anybody waited for is done.
      for (const waiter of this.#waiters.splice(0)) waiter.resolve();
      return;
    }
    let segment: Segment;
    try {
      const ready = shelf.ready();
      segment = ready instanceof Promise ? await ready : ready;
    } catch (cause) {
      // Nothing of it has reached the disk: there is nothing to abort.
      this.#failed(cause, `cannot make a segment in ${shelf.directory}`);
      const why = refusal(cause, shelf.directory);
      this.#answer(refusals);
      this.#refuseWaiting(why);
      this.#giveUp(why);
      return;
    }
    await this.#writeTo(segment);
    this.#answer(refusals);
  }

  async #writeTo(segment: Segment): Promise<void> {
    const { shelf, receptions: books, room } = this.#parts;
    const batch = this.#batch;
    batch.begin(segment);
    const copies = this.#copies;
    const notes = this.#notes;
    this.#copies = [];
    this.#notes = [];
    const mustSync = this.#mustSync;
    this.#mustSync = false;
    this.#notesDue = false;
    this.#notesTimer?.[Symbol.dispose]();
    this.#notesTimer = undefined;
    const written = copies.filter((copy) => putCopy(batch, segment, books, copy));
    const noted = notes.filter((note) => putNote(batch, books, shelf, note));
    const receptions = this.#takeReceptions(batch, segment);
    try {
      // Nothing is left to say when all that compaction had has died meanwhile.
      if (batch.bytes > 0) await segment.file!.write(batch.take(), segment.size);
      if (batch.bytes > 0 && (mustSync || this.#parts.sync())) {
        await segment.file!.sync();
        this.syncs++;
      }
    } catch (cause) {
      this.#undo(segment, notes, receptions, cause);
      return;
    }
    segment.size += batch.bytes;
    room.wrote(batch.bytes);
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#parts.alarm.tell('NOTICE', `${shelf.directory} can be written again.`);
    }
    for (const copy of written) settleCopy(segment, books, shelf, copy);
    for (const note of noted) settleNote(segment, books, shelf, note);
    this.#notesOut += notes.length;
    this.#receptionsOut += receptions.length;
    for (const pending of receptions) this.#parts.admitted(segment, pending);
    this.#release();
  }

  /** As many as one batch shall have, at least one. */
  #takeReceptions(batch: Batch, segment: Segment): readonly PendingReception[] {
    const waiting = this.#receptions;
    let count = 0;
    while (count < waiting.length && (count === 0 || batch.bytes < BATCH_BYTES)) {
      putReception(batch, segment, this.#parts.receptions, waiting[count]!);
      count++;
    }
    this.#receptions = count === waiting.length ? [] : waiting.slice(count);
    return count === waiting.length ? waiting : waiting.slice(0, count);
  }

  /**
   * A batch has failed. A failed sync is never tried again on the same data: the kernel may have dropped the pages and
   * call the next sync a success. So the segment is done with; one abort record says that what it has from there on
   * never happened, and stands in the next segment before the repeated notes.
   */
  #undo(segment: Segment, notes: readonly Note[], receptions: readonly PendingReception[], cause: unknown): void {
    const { shelf } = this.#parts;
    this.#failed(cause, `cannot write ${segment.path}`);
    const abort: Note = { kind: 'abort', segment: segment.sequence, from: segment.size, offset: 0, length: 0, owes: 0 };
    this.#notesIn++;
    this.#notes = [abort, ...notes, ...this.#notes];
    this.#notesDue = this.#resting === undefined;
    shelf.poison(segment);
    const why = refusal(cause, shelf.directory);
    this.#receptionsOut += receptions.length;
    for (const pending of receptions) this.#refusals.push({ pending, why });
    if (this.#resting) {
      this.#answer(this.#refusals);
      this.#refusals = [];
    }
    this.#giveUp(why);
  }

  #failed(cause: unknown, what: string): void {
    const { alarm, clock, room } = this.#parts;
    const why = refusal(cause, this.#parts.shelf.directory);
    if (why.code === 'IMP_SPOOL_FULL') room.ranOut();
    alarm.repeat(
      'write',
      'CRITICAL',
      `${what}: ${because(cause)}. Mail that was to be stored is refused with ${why.code === 'IMP_SPOOL_FULL' ? 452 : 451}; nothing acknowledged is lost.`,
    );
    if (++this.#failures < 2) return;
    this.#resting = why;
    this.#restTimer = clock.at(millis(clock.now() + REST_MS), () => {
      this.#resting = undefined;
      this.#notesDue = this.#notes.length > 0;
      this.#wake();
    });
  }

  /** Who waits for a flush, or for copies, learns that it has failed; copies are made again by the next compaction. */
  #giveUp(why: SpoolError): void {
    this.#copies = [];
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(why);
  }

  #release(): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.receptions > this.#receptionsOut || waiter.notes > this.#notesOut) return true;
      waiter.resolve();
      return false;
    });
    if (this.#waiters.length > 0) this.#notesDue = true;
  }

  #refuseWaiting(why: SpoolError): void {
    const waiting = this.#receptions;
    this.#receptions = [];
    this.#receptionsOut += waiting.length;
    this.#answer(waiting.map((pending) => ({ pending, why })));
  }

  #answer(refusals: readonly { readonly pending: PendingReception; readonly why: SpoolError }[]): void {
    for (const { pending, why } of refusals) pending.refused(why);
  }
}

function full(): SpoolError {
  return new SpoolError(
    'IMP_SPOOL_FULL',
    'there is no room in the spool (spool_min_free): the message was refused with 452.',
  );
}

/** What a sender is told of trouble with the disk. */
export function refusal(cause: unknown, directory: string): SpoolError {
  if (cause instanceof DiskError && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')) {
    return new SpoolError('IMP_SPOOL_FULL', `${directory} is full: the message was refused with 452.`, { cause });
  }
  return new SpoolError(
    'IMP_SPOOL_WRITE',
    `cannot write in ${directory}: the message was refused with 451. Check free space and owner.`,
    { cause },
  );
}
