import { Numbers } from './numbers.ts';
import type { Receptions } from './receptions.ts';
import {
  ABORT,
  DONE,
  type DoneList,
  HEAD_BYTES,
  headTotal,
  RECEPTION,
  readDone,
  readReception,
  STATE,
} from './record.ts';
import type { Found } from './scan.ts';
import type { Segment } from './segment.ts';
import { StateArena } from './state-arena.ts';
import { HOLDER, OFFSET, RECIPIENTS, REMAINING, STATE_HOLDER } from './table.ts';

export interface SurveyParts {
  readonly receptions: Receptions;
  /** Segments that exist. */
  segment(sequence: number): Segment | undefined;
  /** A done record that must be written again, since it speaks about a segment that may go before another one. */
  repeat(done: DoneList): void;
}

/**
 * What the records of all segments say together: which receptions live, where each stands, which of its recipients are
 * finished, and its latest state. Segments come from the newest to the oldest, the records of each in their order, so
 * that what was finished, refused or moved is known before the reception itself comes by.
 *
 * Recovery and who only reads a spool hear the same records with this, so that they never differ.
 */
export class Survey {
  readonly #parts: SurveyParts;
  readonly #numbers = new Numbers();
  /** Segment → offset from which on nothing in it ever happened. */
  readonly #cuts = new Map<number, number>();
  /** Dead receptions whose done record speaks of another segment than the one they were first written in. */
  readonly #deadElsewhere = new Map<string, number>();
  readonly #states = new StateArena();
  /** Slots that were made for a state or a done record whose reception has not come by yet. */
  readonly #homeless = new Set<number>();
  /** Slot → finished recipients, of receptions with some that are not. */
  readonly #partly = new Map<number, number[]>();

  constructor(parts: SurveyParts) {
    this.#parts = parts;
  }

  /** How much of a segment counts: what stands behind was refused, and nobody looks at it again. */
  counted(sequence: number, size: number): number {
    return Math.min(size, this.#cuts.get(sequence) ?? Infinity);
  }

  learn(segment: Segment, found: Found): void {
    const { head } = found;
    switch (head.type) {
      case ABORT:
        this.#cuts.set(head.origin, Math.min(head.ordinal, this.#cuts.get(head.origin) ?? Infinity));
        segment.owe(head.origin, HEAD_BYTES);
        return;
      case DONE: {
        const done = readDone(found.meta, head);
        if (done) this.#learnDone(segment, done, headTotal(head));
        return;
      }
      case STATE:
        this.#learnState(segment, found);
        return;
      case RECEPTION:
        this.#learnReception(segment, found);
        return;
      default:
    }
  }

  #learnDone(segment: Segment, done: DoneList, bytes: number): void {
    const { origin, ordinal, holder, recipients } = done;
    segment.owe(holder, bytes);
    if (this.#numbers.isDead(origin, ordinal)) return;
    if (recipients !== undefined) {
      const slot = this.#slot(origin, ordinal);
      const known = this.#partly.get(slot);
      // One by one: there may be more of them than a call takes arguments.
      if (known) for (const recipient of recipients) known.push(recipient);
      else this.#partly.set(slot, [...recipients]);
      return;
    }
    const slot = this.#numbers.slot(origin, ordinal);
    if (slot !== undefined) this.#forget(slot);
    this.#numbers.setDead(origin, ordinal);
    if (holder !== origin) this.#deadElsewhere.set(`${origin}:${ordinal}`, holder);
  }

  #forget(slot: number): void {
    this.#homeless.delete(slot);
    this.#partly.delete(slot);
    this.#states.drop(slot);
    this.#parts.receptions.forget(slot);
  }

  /** Its slot; a new one when this is the first word of it. */
  #slot(origin: number, ordinal: number): number {
    const known = this.#numbers.slot(origin, ordinal);
    if (known !== undefined) return known;
    const slot = this.#parts.receptions.table.allocate();
    this.#numbers.setSlot(origin, ordinal, slot);
    this.#homeless.add(slot);
    return slot;
  }

  #learnState(segment: Segment, found: Found): void {
    const { origin, ordinal } = found.head;
    if (this.#numbers.isDead(origin, ordinal)) return;
    const { receptions } = this.#parts;
    const slot = this.#slot(origin, ordinal);
    const holder = receptions.table.get(slot, STATE_HOLDER);
    // Newer segments came first; within one, the later record is the newer.
    if (holder !== 0 && holder !== segment.sequence) return;
    receptions.state(slot, segment.sequence, found.offset, headTotal(found.head));
    this.#states.put(slot, found.meta);
  }

  #learnReception(segment: Segment, found: Found): void {
    const { head } = found;
    const { receptions } = this.#parts;
    const meta = readReception(found.meta, head.flags);
    if (!meta) return;
    if (meta.replaces) this.#learnDone(segment, meta.replaces, 0);
    const { origin, ordinal } = head;
    if (this.#numbers.isDead(origin, ordinal)) {
      // It was moved, then finished, and this is the copy that should have been deleted. The done record speaks of the other
      // one and may go with it: so that one must outlive this one, as it would have without a restart.
      const holder = this.#deadElsewhere.get(`${origin}:${ordinal}`) ?? origin;
      if (holder === segment.sequence) return;
      const home = this.#parts.segment(holder);
      // Only newer ones wait for older ones: there must be no circle.
      if (home && holder > segment.sequence) home.movedFrom.add(segment.sequence);
      else this.#parts.repeat({ origin, ordinal, holder: segment.sequence, recipients: undefined });
      return;
    }
    const slot = this.#slot(origin, ordinal);
    const newer = this.#parts.segment(receptions.table.get(slot, HOLDER));
    if (newer) {
      if (newer !== segment) newer.movedFrom.add(segment.sequence);
      return;
    }
    this.#homeless.delete(slot);
    receptions.admit(
      slot,
      {
        origin,
        ordinal,
        holder: segment.sequence,
        offset: found.offset,
        headLength: HEAD_BYTES + head.metaLength,
        bodyLength: head.bodyLength,
        bodyCrc: head.bodyCrc,
        flags: head.flags,
        recipients: meta.recipients,
        large: meta.large,
      },
      undefined,
    );
  }

  /** When all segments have come by: what was said in pieces is put together. */
  settle(): void {
    const { receptions } = this.#parts;
    const { table } = receptions;
    // Records about receptions that are gone with their segments.
    for (const slot of [...this.#homeless]) this.#forget(slot);
    for (const [slot, recipients] of [...this.#partly]) {
      const total = table.get(slot, RECIPIENTS);
      receptions.finish(
        slot,
        recipients.filter((recipient) => recipient < total),
      );
      if (table.get(slot, REMAINING) === 0) this.#forget(slot);
    }
  }

  /** After `settle`. @returns the slot of the live reception that this record holds, if it holds one */
  living(segment: Segment, { head, offset }: Found): number | undefined {
    if (head.type !== RECEPTION) return undefined;
    const { table } = this.#parts.receptions;
    const slot = this.#numbers.slot(head.origin, head.ordinal);
    if (slot === undefined || table.get(slot, HOLDER) !== segment.sequence || table.get(slot, OFFSET) !== offset)
      return undefined;
    return slot;
  }

  /** Whether a record speaks of a reception of which nothing is left to do. */
  isFinished({ head }: Found): boolean {
    return this.#numbers.isDead(head.origin, head.ordinal);
  }

  /** After `settle`: whether the reception that a record speaks of lives, in whatever segment. */
  isAlive({ head }: Found): boolean {
    const slot = this.#numbers.slot(head.origin, head.ordinal);
    return slot !== undefined && this.#parts.receptions.table.get(slot, HOLDER) !== 0;
  }

  state(slot: number): Uint8Array | undefined {
    return this.#states.get(slot);
  }
}
