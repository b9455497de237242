import { HEADER_BYTES } from './frames.ts';

/** One frame. The payload is a view: of the chunk it came in, or of a buffer of its own when it came in pieces. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  readonly payload: Buffer;
}

/** The length of a frame is beyond what was agreed: nothing behind it can be understood. */
export interface TooLong {
  readonly type: 'too long';
  readonly length: number;
}

/** A piece of a frame is first kept in so much; more is asked for only as more has come. */
const FIRST_PIECE = 4096;

/**
 * Cuts a stream of bytes into frames. A frame that lies in one chunk is not copied; of one that comes in pieces no more
 * is kept than twice what has come, whatever length it claims.
 */
export class FrameReader {
  /** Longest payload; may be changed between frames. */
  maxFrame: number;
  #chunks: Buffer[] = [];
  #chunk = 0;
  #at = 0;
  #held = 0;
  #piece: Buffer | undefined;
  #have = 0;

  constructor(maxFrame: number) {
    this.maxFrame = maxFrame;
  }

  /** Bytes held. */
  get buffered(): number {
    return this.#held + this.#have;
  }

  receive(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#held += chunk.length;
  }

  /** So many bytes as they are, for a preface. @returns undefined until all are there */
  raw(length: number): Buffer | undefined {
    return this.#gather(length);
  }

  /** The first bytes that are held, at most so many; they stay. */
  peek(length: number): Buffer {
    if (this.#piece !== undefined) this.#gather(Math.max(length, this.#have));
    if (this.#piece !== undefined) return this.#piece.subarray(0, Math.min(length, this.#have));
    return Buffer.concat(
      this.#chunks.slice(this.#chunk).map((view, i) => (i === 0 ? view.subarray(this.#at) : view)),
    ).subarray(0, length);
  }

  next(): Frame | TooLong | undefined {
    // The usual case: header and payload lie in the chunk that is being read.
    const chunk = this.#chunks[this.#chunk];
    if (this.#have === 0 && chunk !== undefined && chunk.length - this.#at >= HEADER_BYTES) {
      const at = this.#at;
      const length = chunk.readUInt32BE(at);
      if (length > this.maxFrame) return { type: 'too long', length };
      const end = at + HEADER_BYTES + length;
      if (end <= chunk.length) {
        this.#skip(HEADER_BYTES + length);
        return {
          type: chunk[at + 4] as number,
          flags: chunk[at + 5] as number,
          seq: chunk.readUInt32BE(at + 8),
          payload: chunk.subarray(at + HEADER_BYTES, end),
        };
      }
    }
    if (this.#have < HEADER_BYTES && !this.#collect(HEADER_BYTES)) return undefined;
    const piece = this.#piece as Buffer;
    const length = piece.readUInt32BE(0);
    if (length > this.maxFrame) return { type: 'too long', length };
    const whole = this.#gather(HEADER_BYTES + length);
    if (whole === undefined) return undefined;
    return {
      type: whole[4] as number,
      flags: whole[5] as number,
      seq: whole.readUInt32BE(8),
      payload: whole.subarray(HEADER_BYTES),
    };
  }

  #gather(length: number): Buffer | undefined {
    if (!this.#collect(length)) return undefined;
    const whole = (this.#piece as Buffer).subarray(0, length);
    this.#piece = undefined;
    this.#have = 0;
    return whole;
  }

  /** Moves bytes from the chunks to the piece. @returns whether so many are there */
  #collect(length: number): boolean {
    while (this.#have < length) {
      const chunk = this.#chunks[this.#chunk];
      if (chunk === undefined) return false;
      const count = Math.min(length - this.#have, chunk.length - this.#at);
      this.#room(this.#have + count, length);
      chunk.copy(this.#piece as Buffer, this.#have, this.#at, this.#at + count);
      this.#have += count;
      this.#skip(count);
    }
    return true;
  }

  #room(need: number, most: number): void {
    const piece = this.#piece;
    if (piece !== undefined && piece.length >= need) return;
    const size = Math.min(Math.max(most, HEADER_BYTES), Math.max(need, FIRST_PIECE, (piece?.length ?? 0) * 2));
    const larger = Buffer.allocUnsafeSlow(Math.max(size, need));
    if (piece !== undefined) piece.copy(larger, 0, 0, this.#have);
    this.#piece = larger;
  }

  #skip(count: number): void {
    this.#held -= count;
    this.#at += count;
    const chunk = this.#chunks[this.#chunk];
    if (chunk === undefined || this.#at < chunk.length) return;
    this.#at = 0;
    this.#chunk += 1;
    if (this.#chunk === this.#chunks.length) {
      this.#chunks = [];
      this.#chunk = 0;
    } else if (this.#chunk >= 64) {
      this.#chunks.splice(0, this.#chunk);
      this.#chunk = 0;
    }
  }
}
