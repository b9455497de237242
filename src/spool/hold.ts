import { crc32 } from 'node:zlib';
import type { Segments } from '../base/index.ts';
import type { BodyHold, BodyTraits } from '../message/index.ts';
import { SpoolError } from './spool.ts';

/** What the disk is asked for at once. */
const SLICE_BYTES = 65_536;

/** One stretch of a body, read from its start to its end. */
export interface Part {
  readonly length: number;
  next(most: number): Segments | Promise<Segments> | undefined;
  rewind(): void;
}

/** Bytes in memory. */
export class ViewsPart implements Part {
  readonly length: number;
  readonly #views: Segments;
  #index = 0;
  #offset = 0;

  constructor(views: Segments, length: number) {
    this.#views = views;
    this.length = length;
  }

  next(most: number): Segments | undefined {
    const views = this.#views;
    if (this.#index >= views.length) return undefined;
    if (this.#index === 0 && this.#offset === 0 && this.length <= most) {
      this.#index = views.length;
      return views;
    }
    const slice: Uint8Array[] = [];
    let room = Math.max(most, 1);
    while (this.#index < views.length && room > 0) {
      const view = views[this.#index]!;
      const count = Math.min(room, view.length - this.#offset);
      slice.push(count === view.length ? view : view.subarray(this.#offset, this.#offset + count));
      room -= count;
      this.#offset += count;
      if (this.#offset === view.length) {
        this.#index++;
        this.#offset = 0;
      }
    }
    return slice;
  }

  rewind(): void {
    this.#index = 0;
    this.#offset = 0;
  }
}

/** Where bytes of a file come from; `path` is for the operator. */
export interface Source {
  readonly path: string;
  read(at: number, length: number): Promise<Uint8Array>;
}

/** Bytes on disk. The sum is checked before the last slice is handed out: nobody gets to the end of a damaged body. */
export class FilePart implements Part {
  readonly length: number;
  readonly #source: Source;
  readonly #start: number;
  readonly #crc: number | undefined;
  #read = 0;
  #sum = 0;
  #busy = false;

  /** @param crc of the whole stretch; undefined: not known yet, and not checked */
  constructor(source: Source, start: number, length: number, crc: number | undefined) {
    this.#source = source;
    this.#start = start;
    this.length = length;
    this.#crc = crc;
  }

  next(most: number): Promise<Segments> | undefined {
    if (this.#busy) throw new Error('the slice before has not come yet');
    if (this.#read === this.length) return undefined;
    return this.#slice(Math.min(SLICE_BYTES, Math.max(most, 1), this.length - this.#read));
  }

  async #slice(length: number): Promise<Segments> {
    this.#busy = true;
    try {
      const bytes = await this.#source.read(this.#start + this.#read, length);
      if (bytes.length < length)
        throw new SpoolError(
          'IMP_SPOOL_READ',
          `${this.#source.path} is shorter than its record says: the body is lost.`,
        );
      this.#read += length;
      this.#sum = crc32(bytes, this.#sum);
      if (this.#read === this.length && this.#crc !== undefined && this.#sum !== this.#crc) {
        throw new SpoolError(
          'IMP_SPOOL_READ',
          `the body at ${this.#source.path} byte ${this.#start} is damaged: its sum is wrong. Check the disk.`,
        );
      }
      return [bytes];
    } catch (cause) {
      if (cause instanceof SpoolError) throw cause;
      throw new SpoolError('IMP_SPOOL_READ', `cannot read a body from ${this.#source.path}. Check the disk.`, {
        cause,
      });
    } finally {
      this.#busy = false;
    }
  }

  rewind(): void {
    this.#read = 0;
    this.#sum = 0;
  }
}

/** A body as its stretches, whoever owns them. */
export class Hold implements BodyHold {
  readonly length: number;
  readonly traits: BodyTraits;
  readonly #parts: readonly Part[];
  readonly #release: () => void;
  #part = 0;
  #held = true;

  constructor(traits: BodyTraits, parts: readonly Part[], release: () => void) {
    let length = 0;
    for (const part of parts) length += part.length;
    this.length = length;
    this.traits = traits;
    this.#parts = parts;
    this.#release = release;
  }

  next(most: number): Segments | Promise<Segments> | undefined {
    if (!this.#held) throw new Error('this body is not held any more');
    for (; this.#part < this.#parts.length; this.#part++) {
      const slice = this.#parts[this.#part]!.next(most);
      if (slice !== undefined) return slice;
    }
    return undefined;
  }

  rewind(): void {
    this.#part = 0;
    for (const part of this.#parts) part.rewind();
  }

  get held(): boolean {
    return this.#held;
  }

  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    this.#release();
  }
}
