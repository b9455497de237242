import { millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import type { Log } from './log.ts';
import type { Copy, Note } from './pending.ts';
import type { Receptions } from './receptions.ts';
import { ABORT, DONE, type DoneList, RECEPTION, readDone, readReception, STATE } from './record.ts';
import { type Found, scan } from './scan.ts';
import type { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import { HOLDER, OFFSET, REMAINING, STATE_HOLDER, STATE_OFFSET } from './table.ts';

/** Bytes that are given to the log at once: new mail waits no longer than for so much. */
const PORTION_BYTES = 1_048_576;

export interface CompactionParts {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly shelf: Shelf;
  readonly receptions: Receptions;
  readonly log: Log;
  readonly settleMillis: number;
}

/**
 * Writes the live records of sparse segments again at the head, so that a message that is retried for days pins no more
 * than four times its size. One segment at a time: read in order, appended, synced, and only then deleted.
 */
export class Compaction {
  readonly #parts: CompactionParts;
  #running: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #closed = false;

  constructor(parts: CompactionParts) {
    this.#parts = parts;
  }

  /** Some segment is sparse. Cheap while a compaction runs or is planned. */
  consider(): void {
    if (this.#closed || this.#running !== undefined || this.#timer !== undefined) return;
    let next: Segment | undefined;
    for (const segment of this.#parts.shelf.all()) {
      if (segment.sparse && !segment.removed && (!next || segment.settledAt < next.settledAt)) next = segment;
    }
    if (!next) return;
    const { clock } = this.#parts;
    this.#timer = clock.at(millis(Math.max(next.settledAt, clock.now())), () => {
      this.#timer = undefined;
      const due = next;
      // By now it may be quite dead, as most segments are after a while.
      if (!due.sparse || due.removed || due.dead) return this.consider();
      this.#running = this.#compact(due).finally(() => {
        this.#running = undefined;
        this.consider();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    await this.#running;
  }

  async #compact(segment: Segment): Promise<void> {
    const { alarm, clock, shelf } = this.#parts;
    shelf.pin(segment);
    try {
      while (segment.closing) await segment.closing;
      const whole = await this.#copyLive(segment);
      if (!whole) return;
      // What it said about others stands in the head now.
      for (const debt of [...segment.owes.keys()]) segment.settle(debt);
    } catch (cause) {
      if (!this.#closed)
        alarm.repeat(
          'compaction',
          'WARNING',
          `cannot compact ${segment.path}: ${because(cause)}. It is tried again later.`,
        );
    } finally {
      // Should it live on (a reader, a done record on its way), it is looked at again after a while only.
      segment.settledAt = clock.now() + Math.max(this.#parts.settleMillis, 1000);
      shelf.unpin(segment);
    }
  }

  /** @returns false when it holds damage, or the spool closes: it must stay */
  async #copyLive(segment: Segment): Promise<boolean> {
    const { alarm, log, shelf } = this.#parts;
    const { receptions, states } = this.#liveIn(segment);
    let copies: Copy[] = [];
    let notes: Note[] = [];
    let bytes = 0;
    for await (const { records, broken } of scan(shelf.source(segment), segment.size, segment.mark!, 'read')) {
      if (this.#closed) return false;
      if (broken.some((each) => !each.tail)) {
        segment.damaged = true;
        alarm.tell(
          'CRITICAL',
          `${segment.path} is damaged at byte ${broken[0]!.from}. It is not compacted; what can be read of it is served. Check the disk.`,
        );
        return false;
      }
      for (const found of records) {
        bytes += this.#sort(segment, found, receptions, states, copies, notes);
        if (bytes < PORTION_BYTES) continue;
        await log.copy(copies, notes);
        copies = [];
        notes = [];
        bytes = 0;
      }
    }
    await log.copy(copies, notes);
    return true;
  }

  /** Where in it live records stand. */
  #liveIn(segment: Segment): { receptions: Map<number, number>; states: Map<number, number> } {
    const { table } = this.#parts.receptions;
    const receptions = new Map<number, number>();
    const states = new Map<number, number>();
    for (let slot = 0; slot < table.slots; slot++) {
      if (table.get(slot, REMAINING) === 0) continue;
      if (table.get(slot, HOLDER) === segment.sequence) receptions.set(table.get(slot, OFFSET), slot);
      if (table.get(slot, STATE_HOLDER) === segment.sequence) states.set(table.get(slot, STATE_OFFSET), slot);
    }
    return { receptions, states };
  }

  /** @returns bytes that are to be written for it */
  #sort(
    segment: Segment,
    found: Found,
    receptions: Map<number, number>,
    states: Map<number, number>,
    copies: Copy[],
    notes: Note[],
  ): number {
    const { head, meta, offset } = found;
    switch (head.type) {
      case RECEPTION: {
        const replaces = readReception(meta, head.flags)?.replaces;
        if (replaces) this.#sayAgain(segment, replaces, notes);
        const slot = receptions.get(offset);
        if (slot === undefined) return 0;
        copies.push({
          kind: 'reception',
          slot,
          from: segment.sequence,
          at: offset,
          meta,
          body: found.body!,
          offset: 0,
        });
        return meta.length + head.bodyLength;
      }
      case STATE: {
        const slot = states.get(offset);
        if (slot === undefined) return 0;
        copies.push({ kind: 'state', slot, from: segment.sequence, at: offset, meta, offset: 0 });
        return meta.length;
      }
      case DONE: {
        const done = readDone(meta, head);
        if (done) this.#sayAgain(segment, done, notes);
        return meta.length;
      }
      case ABORT:
        if (this.#parts.shelf.get(head.origin))
          notes.push({ kind: 'abort', segment: head.origin, from: head.ordinal, offset: 0, length: 0, owes: 0 });
        return 0;
      default:
        return 0;
    }
  }

  /** A done record means something while the segment it speaks about exists; if that is this one, it goes with it. */
  #sayAgain(segment: Segment, done: DoneList, notes: Note[]): void {
    if (done.holder === segment.sequence || !this.#parts.shelf.get(done.holder)) return;
    notes.push({ kind: 'again', done, offset: 0, length: 0, owes: 0 });
  }
}
