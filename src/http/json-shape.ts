/** Objects and arrays in each other: far more than any request of ours needs, far less than our own walks could bear. */
export const DEEPEST = 100;
/** Values in one body: a parser that is fed `[],[],` makes an object of a hundred bytes for each three. */
export const MOST_VALUES = 10_000_000;

/** What one step looks at. */
const PIECE = 65_536;

/**
 * How deep and how manifold a JSON text is, told before anything is made of it. Whether it is JSON at all is not asked
 * here: of what is none, any answer will do.
 */
export class JsonShape {
  readonly #bytes: Buffer;
  #at = 0;
  #inString = false;
  #depth = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** What is too much of it, in words for clients; final once `step` has returned false. */
  get trouble(): string | undefined {
    if (this.#depth > DEEPEST) return `more than ${DEEPEST} objects and arrays in each other`;
    return this.#values > MOST_VALUES ? `more than ${MOST_VALUES} values` : undefined;
  }

  /** Looks at the next piece. @returns false when there is nothing left to look at */
  step(): boolean {
    const piece = this.#bytes.subarray(this.#at, this.#at + PIECE);
    let at = 0;
    while (at < piece.length && this.trouble === undefined)
      at = this.#inString ? this.#throughString(piece, at) : this.#toString(piece, at);
    // Behind an escape at its end the piece is left by one byte more.
    this.#at += at;
    return this.#at < this.#bytes.length && this.trouble === undefined;
  }

  /** @returns where a string begins, behind its quotation mark, or the end of the piece */
  #toString(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length; at++) {
      switch (piece[at]) {
        case QUOTE:
          this.#inString = true;
          return at + 1;
        case COMMA:
          this.#values++;
          break;
        case OPEN_ARRAY:
        case OPEN_OBJECT:
          this.#values++;
          if (++this.#depth > DEEPEST) return piece.length;
          break;
        case CLOSE_ARRAY:
        case CLOSE_OBJECT:
          this.#depth--;
      }
    }
    return piece.length;
  }

  /** @returns where the string has ended, behind its quotation mark, or the end of the piece */
  #throughString(piece: Buffer, from: number): number {
    let at = from;
    let quote = -1;
    while (at < piece.length) {
      // Looked for once: a piece of nothing but escapes would be gone through for each of them.
      if (quote < at) quote = piece.indexOf(QUOTE, at);
      if (quote === -1) quote = piece.length;
      const backslash = piece.subarray(at, quote).indexOf(BACKSLASH);
      if (backslash === -1) {
        this.#inString = quote === piece.length;
        return this.#inString ? quote : quote + 1;
      }
      at += backslash + 2;
    }
    return at;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
