const CR = 13;
const LF = 10;
const DOT = 46;

/**
 * What a later delivery by SMTP must know of a body that came without SMTP's framing: whether some line begins with a
 * dot, and whether a CR or LF stands alone. One pass over the bytes, views cut anywhere.
 */
export class LineScan {
  dots = false;
  length = 0;
  #lone = false;
  #before = LF;
  /** At the very start no CR is missing before the line. */
  #lineStart = true;

  see(view: Uint8Array): void {
    this.length += view.length;
    let before = this.#before;
    let lineStart = this.#lineStart;
    for (let at = 0; at < view.length; at += 1) {
      const byte = view[at] as number;
      // Letters and digits, nearly all of a message, are through after one comparison.
      if (byte > DOT) {
        if (before === CR) this.#lone = true;
        lineStart = false;
      } else if (byte === LF) {
        if (before !== CR) this.#lone = true;
        lineStart = true;
      } else {
        if (before === CR) this.#lone = true;
        if (byte === DOT && lineStart) this.dots = true;
        lineStart = false;
      }
      before = byte;
    }
    this.#before = before;
    this.#lineStart = lineStart;
  }

  /** To be asked when the body has ended. */
  get lone(): boolean {
    return this.#lone || this.#before === CR;
  }
}
