import { hash } from 'node:crypto';
import type { Millis } from '../../base/index.ts';
import { formatId, type IdParts, type MessageId, parseId } from '../../message/index.ts';

/** Bytes of a key that are kept: a sum, so that keys of all lengths take the same room. */
export const SUM_BYTES = 16;
/** Seconds for which a key is known. */
export const KEY_SECONDS = 86_400;
/** Keys that are kept at most; the spec asks for a million. */
export const MOST_KEYS = 2 ** 20;
const FIRST_ROOM = 1024;

/** The sum of a key: what table and journal know of it. */
export const sumOf = (key: string): Buffer => hash('sha256', key, 'buffer').subarray(0, SUM_BYTES);

/**
 * Keys of messages that were accepted, each with the id it got: a ring in the order of acceptance, and an index of
 * places in it. 28 bytes a key, and as much again for the index; nothing of it is an object.
 */
export class DedupTable {
  #room = FIRST_ROOM;
  #sums = Buffer.alloc(FIRST_ROOM * SUM_BYTES);
  #counters = new Uint32Array(FIRST_ROOM);
  #instances = new Uint16Array(FIRST_ROOM);
  #seconds = new Uint32Array(FIRST_ROOM);
  #accepted = new Uint32Array(FIRST_ROOM);
  /** Place in the ring plus one; 0 is free. */
  #index = new Int32Array(FIRST_ROOM * 2);
  #oldest = 0;
  size = 0;
  readonly #most: number;

  /** @param most a power of two */
  constructor(most = MOST_KEYS) {
    this.#most = most;
  }

  /** @returns the id that the first message with this key got */
  find(sum: Buffer, now: Millis): MessageId | undefined {
    this.#expire(now);
    const place = this.#place(sum);
    // What came back from the spool may be older than what stands before it.
    if (place === -1 || this.#tooOld(place, now)) return undefined;
    return formatId({
      counter: this.#counters[place] as number,
      instance: this.#instances[place] as number,
      second: this.#seconds[place] as number,
    });
  }

  /** @param at since the epoch: when it was accepted. Keys come in the order of their times, nearly. */
  add(sum: Buffer, id: MessageId, at: Millis): void {
    const parts = parseId(id);
    if (parts === undefined) return;
    const known = this.#place(sum);
    if (known !== -1) {
      if (this.#tooOld(known, at)) this.#put(known, parts, at);
      return;
    }
    if (this.size === this.#room) {
      if (this.#room < this.#most) this.#grow();
      else this.#forgetOldest();
    }
    const place = (this.#oldest + this.size) % this.#room;
    this.size += 1;
    sum.copy(this.#sums, place * SUM_BYTES, 0, SUM_BYTES);
    this.#put(place, parts, at);
    this.#enter(place);
  }

  #put(place: number, parts: IdParts, at: Millis): void {
    this.#counters[place] = parts.counter;
    this.#instances[place] = parts.instance;
    this.#seconds[place] = parts.second;
    this.#accepted[place] = Math.floor(at / 1000);
  }

  #tooOld(place: number, now: Millis): boolean {
    return (this.#accepted[place] as number) < Math.floor(now / 1000) - KEY_SECONDS;
  }

  #expire(now: Millis): void {
    while (this.size > 0 && this.#tooOld(this.#oldest, now)) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const place = this.#oldest;
    this.#leave(place);
    this.#oldest = (place + 1) % this.#room;
    this.size -= 1;
  }

  #slotOf(place: number): number {
    return this.#sums.readUInt32LE(place * SUM_BYTES) % this.#index.length;
  }

  #place(sum: Buffer): number {
    const length = this.#index.length;
    for (let slot = sum.readUInt32LE(0) % length; ; slot = (slot + 1) % length) {
      const found = this.#index[slot] as number;
      if (found === 0) return -1;
      const at = (found - 1) * SUM_BYTES;
      if (sum.compare(this.#sums, at, at + SUM_BYTES, 0, SUM_BYTES) === 0) return found - 1;
    }
  }

  #enter(place: number): void {
    const length = this.#index.length;
    let slot = this.#slotOf(place);
    while (this.#index[slot] !== 0) slot = (slot + 1) % length;
    this.#index[slot] = place + 1;
  }

  /** Knuth's deletion from an open table: what was pushed on by it moves back. */
  #leave(place: number): void {
    const length = this.#index.length;
    let hole = this.#slotOf(place);
    while (this.#index[hole] !== place + 1) hole = (hole + 1) % length;
    for (let slot = (hole + 1) % length; this.#index[slot] !== 0; slot = (slot + 1) % length) {
      const home = this.#slotOf((this.#index[slot] as number) - 1);
      const between = hole <= slot ? home > hole && home <= slot : home > hole || home <= slot;
      if (between) continue;
      this.#index[hole] = this.#index[slot] as number;
      hole = slot;
    }
    this.#index[hole] = 0;
  }

  #grow(): void {
    const room = this.#room * 2;
    const order = (from: ArrayLike<number>, to: Uint32Array | Uint16Array): void => {
      for (let i = 0; i < this.size; i++) to[i] = from[(this.#oldest + i) % this.#room] as number;
    };
    const sums = Buffer.alloc(room * SUM_BYTES);
    for (let i = 0; i < this.size; i++) {
      const at = ((this.#oldest + i) % this.#room) * SUM_BYTES;
      this.#sums.copy(sums, i * SUM_BYTES, at, at + SUM_BYTES);
    }
    const counters = new Uint32Array(room);
    const instances = new Uint16Array(room);
    const seconds = new Uint32Array(room);
    const accepted = new Uint32Array(room);
    order(this.#counters, counters);
    order(this.#instances, instances);
    order(this.#seconds, seconds);
    order(this.#accepted, accepted);
    this.#sums = sums;
    this.#counters = counters;
    this.#instances = instances;
    this.#seconds = seconds;
    this.#accepted = accepted;
    this.#room = room;
    this.#oldest = 0;
    this.#index = new Int32Array(room * 2);
    for (let i = 0; i < this.size; i++) this.#enter(i);
  }
}
