import type { Segments } from '../base/index.ts';

const CRLF = Buffer.from('\r\n', 'latin1');
const DOT = Buffer.from('.\r\n', 'latin1');
const CR = 0x0d;
const LF = 0x0a;
const NO_BYTES = new Uint8Array(0);

/**
 * A body on its way out (RFC 5321 §4.5.2): leading dots doubled, lone CR and LF sent as CRLF so that nothing can be
 * read in two ways, the final dot behind it. A body without either goes through as it is: no byte is looked at but the
 * last two.
 */
export class OutgoingBody {
  readonly #slow: boolean;
  #lineStart = true;
  /** A CR at the end of the last slice: its LF may be the next byte. */
  #carry = false;
  #lastByte = LF;
  #byteBefore = CR;

  /** @param dots some line begins with a dot @param lone some CR or LF stands alone */
  constructor(dots: boolean, lone: boolean) {
    this.#slow = dots || lone;
  }

  pass(slice: Segments): Segments {
    if (this.#slow) return [this.#rewrite(slice)];
    // The last two bytes; a view may hold one of them, or none.
    let last: number | undefined;
    for (let at = slice.length - 1; at >= 0; at--) {
      const view = slice[at] ?? NO_BYTES;
      for (let index = view.length - 1; index >= 0; index--) {
        const byte = view[index] ?? 0;
        if (last === undefined) last = byte;
        else {
          this.#byteBefore = byte;
          this.#lastByte = last;
          return slice;
        }
      }
    }
    if (last !== undefined) {
      this.#byteBefore = this.#lastByte;
      this.#lastByte = last;
    }
    return slice;
  }

  /** What ends the message: a missing line end, and the dot. */
  end(): Segments {
    if (this.#slow) return this.#carry || !this.#lineStart ? [CRLF, DOT] : [DOT];
    return this.#lastByte === LF && this.#byteBefore === CR ? [DOT] : [CRLF, DOT];
  }

  /** Native searches over one string; only bodies that need it come here. */
  #rewrite(slice: Segments): Uint8Array {
    let text = '';
    for (const view of slice) text += Buffer.from(view.buffer, view.byteOffset, view.length).toString('latin1');
    if (this.#carry) text = `\r${text}`;
    this.#carry = text.endsWith('\r');
    if (this.#carry) text = text.slice(0, -1);
    if (text === '') return new Uint8Array(0);
    text = text.replace(/\r\n|\r|\n/g, '\r\n').replace(/\n\./g, '\n..');
    if (this.#lineStart && text.startsWith('.')) text = `.${text}`;
    this.#lineStart = text.endsWith('\n');
    return Buffer.from(text, 'latin1');
  }
}
