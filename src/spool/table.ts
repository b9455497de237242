import type { SpoolAddress } from '../message/index.ts';

/*
 * Where each live reception stands: 56 bytes a reception in pages of plain numbers, so that a million queued messages
 * cost 56 MB, nothing for the garbage collector to walk, and no pause when the table grows.
 */

export const ORIGIN = 0;
export const ORDINAL = 1;
/** Sequence of the segment that holds the record now; 0: nowhere (yet). */
export const HOLDER = 2;
/** Of the record, in that segment. For a free slot: the next free one. */
export const OFFSET = 3;
/** Head and meta part: the body begins at OFFSET + HEAD_LENGTH. */
export const HEAD_LENGTH = 4;
export const BODY_LENGTH = 5;
export const BODY_CRC = 6;
/** Recipients in the envelope. */
export const RECIPIENTS = 7;
/** Recipients that are not finished; 0: dead, and kept only until that is on disk. */
export const REMAINING = 8;
/** Where the latest state record stands; segment 0: none. */
export const STATE_HOLDER = 9;
export const STATE_OFFSET = 10;
/** Of the whole state record. */
export const STATE_LENGTH = 11;
/** Flags of the record. */
export const FLAGS = 12;
/** Counts the lives of the slot, so that a stale handle is found out. */
const LIFE = 13;
const WIDTH = 14;

const PAGE_BITS = 12;
const PAGE_SLOTS = 1 << PAGE_BITS;
const LIVES = 256;
const NONE = 0xffffffff;

export class ReceptionTable {
  readonly #pages: Uint32Array[] = [];
  #free = NONE;
  #used = 0;
  #live = 0;

  /** Receptions in the table. */
  get size(): number {
    return this.#live;
  }

  /** Slots ever used: those to look at when all are looked at. */
  get slots(): number {
    return this.#used;
  }

  get(slot: number, field: number): number {
    return this.#pages[slot >>> PAGE_BITS]![(slot & (PAGE_SLOTS - 1)) * WIDTH + field]!;
  }

  set(slot: number, field: number, value: number): void {
    this.#pages[slot >>> PAGE_BITS]![(slot & (PAGE_SLOTS - 1)) * WIDTH + field] = value;
  }

  /** @returns a slot whose fields are all 0 */
  allocate(): number {
    this.#live++;
    if (this.#free !== NONE) {
      const slot = this.#free;
      this.#free = this.get(slot, OFFSET);
      this.set(slot, OFFSET, 0);
      return slot;
    }
    const slot = this.#used++;
    if (slot >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Uint32Array(PAGE_SLOTS * WIDTH));
    return slot;
  }

  release(slot: number): void {
    const life = (this.get(slot, LIFE) + 1) % LIVES;
    const page = this.#pages[slot >>> PAGE_BITS]!;
    const at = (slot & (PAGE_SLOTS - 1)) * WIDTH;
    page.fill(0, at, at + WIDTH);
    page[at + LIFE] = life;
    page[at + OFFSET] = this.#free;
    this.#free = slot;
    this.#live--;
  }

  /** Slot and life in one number: small enough to be an integer for the engine up to eight million receptions. */
  address(slot: number): SpoolAddress {
    return (slot * LIVES + this.get(slot, LIFE)) as SpoolAddress;
  }

  has(at: SpoolAddress): boolean {
    const slot = Math.floor(at / LIVES);
    return slot >= 0 && slot < this.#used && this.get(slot, LIFE) === at % LIVES && this.get(slot, REMAINING) > 0;
  }

  /** @throws Error when nothing lives at that address: a handle was used after its reception was done */
  slot(at: SpoolAddress): number {
    if (!this.has(at)) throw new Error(`spool address ${at} names no live reception`);
    return Math.floor(at / LIVES);
  }
}
