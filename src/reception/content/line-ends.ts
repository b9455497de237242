import { HeaderScanner } from '../../message/index.ts';

/**
 * Turns each lone CR and lone LF into CRLF while a body goes by (`fix` of `rfc2822_lone_lf_in_…`). Only views that hold
 * one are copied.
 */
export class LineEndFixer {
  /** Some line end was changed: new lines may begin with a dot. */
  changed = false;
  /** The same, in the body. */
  changedBody = false;
  readonly #header: boolean;
  readonly #body: boolean;
  readonly #scanner = new HeaderScanner();
  #inHeader = true;
  #seen = 0;
  /** The last view ended with a CR, kept back until its LF comes or not. */
  #heldCr = false;

  /** @param where  which part is to be fixed */
  constructor(where: { readonly header: boolean; readonly body: boolean }) {
    this.#header = where.header;
    this.#body = where.body;
  }

  fix(view: Uint8Array): Uint8Array[] {
    if (!this.#inHeader) return [this.#part(view, this.#body)];
    const before = this.#seen;
    this.#seen += view.length;
    if (!this.#scanner.feed(view)) return [this.#part(view, this.#header)];
    const end = (this.#scanner.length ?? 0) - before;
    const header = this.#part(view.subarray(0, end), this.#header);
    this.#inHeader = false;
    return [header, this.#part(view.subarray(end), this.#body)];
  }

  /** The CR that was kept back, if any. A body that ends in order has none. */
  finish(): Uint8Array[] {
    if (!this.#heldCr) return [];
    this.#heldCr = false;
    this.#note();
    return [Buffer.from('\r\n', 'latin1')];
  }

  #note(): void {
    this.changed = true;
    if (!this.#inHeader) this.changedBody = true;
  }

  #part(view: Uint8Array, wanted: boolean): Uint8Array {
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
    if (view.length === 0 || (!this.#heldCr && (!wanted || !needsWork(bytes)))) return view;
    const text = (this.#heldCr ? '\r' : '') + bytes.toString('latin1');
    this.#heldCr = wanted && text.endsWith('\r');
    const whole = this.#heldCr ? text.slice(0, -1) : text;
    const fixed = wanted ? whole.replace(/\r\n|\r|\n/g, '\r\n') : whole;
    if (fixed.length !== whole.length) this.#note();
    return Buffer.from(fixed, 'latin1');
  }
}

const needsWork = (bytes: Buffer): boolean => /\r(?!\n)|(?<!\r)\n/.test(bytes.toString('latin1'));
