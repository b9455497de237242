const BLOCK_BYTES = 65_536;
/**
 * Changes the first byte of each head in an index: who looks for records in a segment whose index is torn must not find
 * these.
 */
export const MASK = 0xff;

/**
 * The heads and meta parts of a segment in order: what its index will hold. When they grow over `most` bytes the bodies
 * are so small that reading the segment itself is as quick, and the index is given up.
 */
export class Skeleton {
  readonly #most: number;
  #blocks: Buffer[] = [];
  #used = BLOCK_BYTES;
  #length = 0;
  #given = false;

  constructor(most: number) {
    this.#most = most;
  }

  add(bytes: Buffer, from: number, to: number): void {
    if (this.#given) return;
    this.#length += to - from;
    if (this.#length > this.#most) {
      this.#given = true;
      this.#blocks = [];
      return;
    }
    let first = true;
    while (from < to) {
      if (this.#used === BLOCK_BYTES) {
        this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
        this.#used = 0;
      }
      const block = this.#blocks[this.#blocks.length - 1]!;
      const copied = bytes.copy(block, this.#used, from, to);
      if (first) block[this.#used]! ^= MASK;
      first = false;
      this.#used += copied;
      from += copied;
    }
  }

  /** @returns undefined when the index was given up */
  take(): readonly Buffer[] | undefined {
    if (this.#given) return undefined;
    return this.#blocks.map((block, i) => (i < this.#blocks.length - 1 ? block : block.subarray(0, this.#used)));
  }
}
