import type { SpoolAddress } from '../message/index.ts';
import type { Body } from './body.ts';
import type { LargeFiles } from './large.ts';
import type { DoneList, LargeReference } from './record.ts';
import type { Residency } from './residency.ts';
import type { Shelf } from './shelf.ts';
import {
  BODY_CRC,
  BODY_LENGTH,
  FLAGS,
  HEAD_LENGTH,
  HOLDER,
  OFFSET,
  ORDINAL,
  ORIGIN,
  RECIPIENTS,
  REMAINING,
  ReceptionTable,
  STATE_HOLDER,
  STATE_LENGTH,
  STATE_OFFSET,
} from './table.ts';

/** A record of a reception, where it stands. */
export interface Placed {
  readonly origin: number;
  readonly ordinal: number;
  readonly holder: number;
  readonly offset: number;
  readonly headLength: number;
  readonly bodyLength: number;
  readonly bodyCrc: number;
  readonly flags: number;
  readonly recipients: number;
  readonly large: LargeReference | undefined;
}

/** All live receptions, and with every change the books of the segments they stand in. */
export class Receptions {
  readonly table = new ReceptionTable();
  /** Finished recipients, only of receptions of which some are finished and some are not: one bit each. */
  readonly #partly = new Map<number, Uint8Array>();
  readonly #large = new Map<number, LargeReference>();
  readonly #shelf: Pick<Shelf, 'get' | 'released'>;
  readonly #residency: Pick<Residency, 'add' | 'remove'>;
  readonly #files: Pick<LargeFiles, 'path' | 'remove'>;

  constructor(
    shelf: Pick<Shelf, 'get' | 'released'>,
    residency: Pick<Residency, 'add' | 'remove'>,
    files: Pick<LargeFiles, 'path' | 'remove'>,
  ) {
    this.#shelf = shelf;
    this.#residency = residency;
    this.#files = files;
  }

  /** @param slot one that was allocated for it; its body when it shall stay in memory */
  admit(slot: number, placed: Placed, body: Body | undefined): void {
    this.place(slot, placed);
    this.table.set(slot, REMAINING, placed.recipients);
    if (body) this.#residency.add(slot, body);
  }

  /** Where the record stands; the segment's books get it. */
  place(slot: number, placed: Placed): void {
    const { table } = this;
    table.set(slot, ORIGIN, placed.origin);
    table.set(slot, ORDINAL, placed.ordinal);
    table.set(slot, HOLDER, placed.holder);
    table.set(slot, OFFSET, placed.offset);
    table.set(slot, HEAD_LENGTH, placed.headLength);
    table.set(slot, BODY_LENGTH, placed.bodyLength);
    table.set(slot, BODY_CRC, placed.bodyCrc);
    table.set(slot, FLAGS, placed.flags);
    table.set(slot, RECIPIENTS, placed.recipients);
    if (placed.large) this.#large.set(slot, placed.large);
    this.#shelf.get(placed.holder)?.keep(placed.headLength + placed.bodyLength);
  }

  large(slot: number): LargeReference | undefined {
    return this.#large.get(slot);
  }

  largeBodies(): Iterable<LargeReference> {
    return this.#large.values();
  }

  /** Compaction has written it again. */
  move(slot: number, holder: number, offset: number): void {
    const { table } = this;
    const bytes = table.get(slot, HEAD_LENGTH) + table.get(slot, BODY_LENGTH);
    const old = this.#shelf.get(table.get(slot, HOLDER));
    table.set(slot, HOLDER, holder);
    table.set(slot, OFFSET, offset);
    this.#shelf.get(holder)?.keep(bytes);
    if (!old) return;
    old.drop(bytes);
  }

  /** A newer state record stands there; the one before is of no use any more. */
  state(slot: number, holder: number, offset: number, length: number): void {
    this.#dropState(slot);
    this.table.set(slot, STATE_HOLDER, holder);
    this.table.set(slot, STATE_OFFSET, offset);
    this.table.set(slot, STATE_LENGTH, length);
    this.#shelf.get(holder)?.keep(length);
  }

  /** @returns those of the recipients that were not finished before; all are when `REMAINING` is 0 afterwards */
  finish(slot: number, recipients: readonly number[]): readonly number[] {
    const { table } = this;
    const total = table.get(slot, RECIPIENTS);
    for (const recipient of recipients) {
      if (!(recipient >= 0 && recipient < total))
        throw new Error(`recipient ${recipient} of a reception with ${total}`);
    }
    if (total === 1) {
      if (recipients.length > 0) this.#finished(slot);
      return recipients;
    }
    let bits = this.#partly.get(slot);
    if (!bits) {
      bits = new Uint8Array((total + 7) >>> 3);
      this.#partly.set(slot, bits);
    }
    const fresh: number[] = [];
    for (const recipient of recipients) {
      const bit = 1 << (recipient & 7);
      if ((bits[recipient >>> 3]! & bit) !== 0) continue;
      bits[recipient >>> 3]! |= bit;
      fresh.push(recipient);
    }
    const remaining = table.get(slot, REMAINING) - fresh.length;
    if (remaining === 0) this.#finished(slot);
    else table.set(slot, REMAINING, remaining);
    return fresh;
  }

  #finished(slot: number): void {
    this.table.set(slot, REMAINING, 0);
    this.#partly.delete(slot);
    this.#residency.remove(slot);
  }

  /** @returns indices of the finished recipients of a live reception */
  finished(slot: number): readonly number[] {
    const bits = this.#partly.get(slot);
    if (!bits) return [];
    const recipients: number[] = [];
    for (let i = 0; i < bits.length * 8; i++) if ((bits[i >>> 3]! & (1 << (i & 7))) !== 0) recipients.push(i);
    return recipients;
  }

  /** As a record of now would name them. */
  doneList(slot: number, recipients: readonly number[] | undefined): DoneList {
    const { table } = this;
    return {
      origin: table.get(slot, ORIGIN),
      ordinal: table.get(slot, ORDINAL),
      holder: table.get(slot, HOLDER),
      recipients,
    };
  }

  /** That all are finished is on disk: the slot is free, and its file goes. */
  forget(slot: number): void {
    const { table } = this;
    this.#dropState(slot);
    const holder = this.#shelf.get(table.get(slot, HOLDER));
    const bytes = table.get(slot, HEAD_LENGTH) + table.get(slot, BODY_LENGTH);
    const large = this.#large.get(slot);
    if (large) {
      this.#large.delete(slot);
      this.#files.remove(this.#files.path(large.run, large.serial));
    }
    table.release(slot);
    if (!holder) return;
    holder.drop(bytes);
    this.#shelf.released(holder);
  }

  /** @returns the slot, or undefined when nothing lives there any more */
  alive(at: SpoolAddress): number | undefined {
    return this.table.has(at) ? this.table.slot(at) : undefined;
  }

  #dropState(slot: number): void {
    const { table } = this;
    const holder = table.get(slot, STATE_HOLDER);
    if (holder === 0) return;
    const segment = this.#shelf.get(holder);
    table.set(slot, STATE_HOLDER, 0);
    if (!segment) return;
    segment.drop(table.get(slot, STATE_LENGTH));
    this.#shelf.released(segment);
  }
}
