const LF = 10;
const CR = 13;
const DASH = 0x2d;
/** Characters of a text that are kept. */
const MOST_TEXT = 2000;

/** Finds the replies in what a server sends, cut anywhere, with as little work as can be. */
export class ReplyScanner {
  /** Texts are kept: an AUTH wants its challenge. */
  keep = false;
  readonly #heard: (code: number, text: string) => void;
  /** Where a reply line stands, for its code and the byte behind it. */
  #column = 0;
  #code = 0;
  #more = false;
  #text = '';

  /** @param heard  told the code of each reply, and its last line's text when texts are kept */
  constructor(heard: (code: number, text: string) => void) {
    this.#heard = heard;
  }

  feed(chunk: Buffer): void {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      const column = this.#column++;
      if (column < 3) {
        if (column === 0) {
          this.#code = 0;
          this.#more = false;
          this.#text = '';
        }
        this.#code = this.#code * 10 + (byte - 0x30);
      } else if (column === 3) this.#more = byte === DASH;
      else if (this.keep && byte !== CR && byte !== LF && column < MOST_TEXT) this.#text += String.fromCharCode(byte);
      if (byte !== LF) continue;
      this.#column = 0;
      if (!this.#more) this.#heard(this.#code, this.#text);
    }
  }
}
