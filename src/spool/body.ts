import { crc32 } from 'node:zlib';
import type { Segments } from '../base/index.ts';

/** Below this, copying a piece is cheaper than carrying it as a view of its own through a writev. */
const SMALL = 1024;
const FIRST_PACK = 1024;
const LARGEST_PACK = 65_536;

/**
 * Bytes of one message in memory: a chain of views, none of which pins much more than it shows. Small pieces are packed
 * together, a view smaller than a quarter of its ArrayBuffer is copied, all others are kept as they came.
 */
export class Body {
  readonly #views: Uint8Array[] = [];
  length = 0;
  /** crc32 of all bytes in order. */
  crc = 0;
  /** Memory that goes free with this body: whole ArrayBuffers. */
  cost = 0;
  /** Leases: a held body is never evicted. */
  holds = 0;
  #pack: Buffer | undefined;
  #packed = 0;
  /** Where the last view of `#views` begins in the pack, when it lies there; -1: it does not. */
  #packedFrom = -1;
  #lastBuffer: ArrayBufferLike | undefined;

  get views(): Segments {
    return this.#views;
  }

  append(bytes: Segments): void {
    for (const view of bytes) {
      if (view.length === 0) continue;
      this.length += view.length;
      this.crc = crc32(view, this.crc);
      if (view.length < SMALL) this.#addSmall(view);
      else if (view.length * 4 < view.buffer.byteLength) this.#add(copyOf(view));
      else this.#add(view);
    }
  }

  #add(view: Uint8Array): void {
    this.#packedFrom = -1;
    if (view.buffer !== this.#lastBuffer) {
      this.#lastBuffer = view.buffer;
      this.cost += view.buffer.byteLength;
    }
    this.#views.push(view);
  }

  #addSmall(view: Uint8Array): void {
    let from = 0;
    while (from < view.length) {
      if (this.#pack === undefined || this.#packed === this.#pack.length) {
        // Doubling: a client that sends byte by byte gets few views, a message of two headers no big block.
        this.#pack = Buffer.allocUnsafeSlow(this.#pack ? Math.min(this.#pack.length * 2, LARGEST_PACK) : FIRST_PACK);
        this.#packed = 0;
        this.#packedFrom = -1;
        this.#lastBuffer = undefined;
        this.cost += this.#pack.length;
      }
      const count = Math.min(view.length - from, this.#pack.length - this.#packed);
      this.#pack.set(from === 0 && count === view.length ? view : view.subarray(from, from + count), this.#packed);
      this.#packed += count;
      from += count;
      if (this.#packedFrom === -1) {
        this.#packedFrom = this.#packed - count;
        this.#views.push(this.#pack.subarray(this.#packedFrom, this.#packed));
      } else {
        this.#views[this.#views.length - 1] = this.#pack.subarray(this.#packedFrom, this.#packed);
      }
    }
  }
}

function copyOf(view: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(view.length);
  copy.set(view);
  return copy;
}
