import type { Segments } from '../base/index.ts';
import { HEAD_BYTES, OPEN, writeHead } from './record.ts';
import type { Segment } from './segment.ts';

const SLAB_BYTES = 262_144;
/** Slabs kept from one batch to the next. */
const KEPT_SLABS = 16;
/** Below this, copying a view is cheaper than an entry of its own in the writev. */
const SMALL = 2048;

/**
 * The bytes of one write: heads, meta parts and small bodies packed in slabs, larger bodies as the views they came in.
 * One object serves all batches; its views are good until the next `begin`.
 */
export class Batch {
  #segment!: Segment;
  readonly #slabs: Buffer[] = [];
  #nextSlab = 0;
  #slab: Buffer = Buffer.alloc(0);
  /** The piece of the slab that is not among the views yet. */
  #start = 0;
  #end = 0;
  #views: Uint8Array[] = [];
  /** Bytes so far. */
  bytes = 0;

  begin(segment: Segment): void {
    this.#segment = segment;
    this.#views = [];
    this.bytes = 0;
    if (this.#slabs.length > KEPT_SLABS) this.#slabs.length = KEPT_SLABS;
    this.#nextSlab = 0;
    this.#turnSlab(SLAB_BYTES);
    if (segment.size === 0) {
      this.reserve(0);
      this.record(OPEN, 0, segment.sequence, 0, 0, 0, 0);
    }
  }

  /** Where the next record will begin in its segment. */
  get offset(): number {
    return this.#segment.size + this.bytes;
  }

  /** The slab that `reserve` spoke of: to be asked for behind it, never before, since making room may turn to the next. */
  get slab(): Buffer {
    return this.#slab;
  }

  /** Makes room for a meta part of at most so many bytes. @returns where in the slab it is to be written, before `record` */
  reserve(metaBytes: number): number {
    const need = HEAD_BYTES + metaBytes;
    if (need > this.#slab.length - this.#end) {
      this.#cut();
      this.#turnSlab(need);
    }
    return this.#end + HEAD_BYTES;
  }

  /** Puts the head in front of the meta part that was just written. */
  record(
    type: number,
    flags: number,
    origin: number,
    ordinal: number,
    metaLength: number,
    bodyLength: number,
    bodyCrc: number,
  ): void {
    const from = this.#end;
    writeHead(this.#slab, from, this.#segment.mark!, { type, flags, origin, ordinal, metaLength, bodyLength, bodyCrc });
    this.#end += HEAD_BYTES + metaLength;
    this.bytes += HEAD_BYTES + metaLength;
    this.#segment.skeleton?.add(this.#slab, from, this.#end);
  }

  /** The body of the record before. */
  body(views: Segments): void {
    for (const view of views) {
      this.bytes += view.length;
      if (view.length < SMALL && view.length <= this.#slab.length - this.#end) {
        this.#slab.set(view, this.#end);
        this.#end += view.length;
        continue;
      }
      this.#cut();
      this.#views.push(view);
    }
  }

  /** All of it, for one write. */
  take(): Segments {
    this.#cut();
    return this.#views;
  }

  #cut(): void {
    if (this.#end > this.#start) this.#views.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #turnSlab(need: number): void {
    if (need > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(need);
    } else {
      if (this.#nextSlab === this.#slabs.length) this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
      this.#slab = this.#slabs[this.#nextSlab++]!;
    }
    this.#start = 0;
    this.#end = 0;
  }
}
