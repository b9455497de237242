/** What is done about lines that are too long; `most` is in octets, without the line end. */
export interface LineLimit {
  readonly most: number;
  readonly act: 'fix' | 'reject';
}

/** RFC 5322 §2.1.1. */
export const LONGEST_LINE = 998;

/**
 * `RFC2822_Max_Line_Length` with its policy: a number means something with a policy only, the policy without a number
 * means 998.
 */
export function lineLimit(
  length: 'ignore' | 'pedantic' | 'fix' | number,
  policy: 'none' | 'fix' | 'reject',
): LineLimit | undefined {
  if (length === 'pedantic') return { most: LONGEST_LINE, act: 'reject' };
  if (length === 'fix') return { most: LONGEST_LINE, act: 'fix' };
  if (policy === 'none' || length === 0) return undefined;
  return { most: length === 'ignore' ? LONGEST_LINE : length, act: policy };
}

/** Finds the lines of a body that are longer than they may be, and breaks them if it is asked to. */
export class LongLines {
  tooLong = false;
  /** A line that was made begins with a dot. */
  dots = false;
  readonly #limit: LineLimit;
  /** Octets of the line that is being read. */
  #column = 0;
  /** The last view ended with a CR: its LF may be the first byte of the next. */
  #heldCr = false;

  constructor(limit: LineLimit) {
    this.#limit = limit;
  }

  pass(view: Uint8Array, into: Uint8Array[]): void {
    if (view.length === 0) return;
    let bytes: Uint8Array = view;
    if (this.#heldCr) bytes = Buffer.concat([ONE_CR, view]);
    this.#heldCr = bytes[bytes.length - 1] === CR;
    const end = this.#heldCr ? bytes.length - 1 : bytes.length;
    let written = 0;
    for (let at = 0; at < end; ) {
      const lf = bytes.indexOf(LF, at);
      const next = lf === -1 || lf >= end ? end : lf + 1;
      const stop = next === end && lf !== end - 1 ? end : bytes[lf - 1] === CR && lf > at ? lf - 1 : lf;
      if (this.#column + stop - at > this.#limit.most) {
        this.tooLong = true;
        if (this.#limit.act === 'fix') written = this.#break(bytes, written, at, stop, into);
      }
      this.#column = lf !== -1 && next === lf + 1 ? 0 : this.#column + stop - at;
      at = next;
    }
    if (written < end) into.push(bytes.subarray(written, end));
  }

  /** The CR that was kept back, if any. */
  finish(into: Uint8Array[]): void {
    if (this.#heldCr) into.push(ONE_CR);
    this.#heldCr = false;
  }

  /** @returns up to where the bytes are in `into` */
  #break(bytes: Uint8Array, written: number, at: number, stop: number, into: Uint8Array[]): number {
    let from = at;
    let done = written;
    while (this.#column + stop - from > this.#limit.most) {
      const cut = breakBefore(bytes, from, from + Math.max(this.#limit.most - this.#column, 0));
      if (cut > done) into.push(bytes.subarray(done, cut));
      into.push(CRLF);
      if (bytes[cut] === DOT) this.dots = true;
      done = cut;
      from = cut;
      this.#column = 0;
    }
    // What is left of the line is counted by the caller, from `at`.
    this.#column = at - from;
    return done;
  }
}

/** Header lines by folds, at a blank where there is one (RFC 5322 §2.2.3). @returns undefined when none is too long */
export function foldHeader(header: Buffer, limit: LineLimit): Buffer | undefined {
  let folded = false;
  const pieces: Uint8Array[] = [];
  let written = 0;
  for (let at = 0; at < header.length; ) {
    const lf = header.indexOf(LF, at);
    const next = lf === -1 ? header.length : lf + 1;
    const stop = lf === -1 ? next : header[lf - 1] === CR && lf > at ? lf - 1 : lf;
    let from = at;
    let room = limit.most;
    while (stop - from > room) {
      folded = true;
      if (limit.act === 'reject') return header;
      const blank = header.lastIndexOf(BLANK, from + room);
      // A fold in front of a blank adds nothing to the field; elsewhere one blank is added.
      const cut = blank > from ? blank : breakBefore(header, from, from + room);
      pieces.push(header.subarray(written, cut), blank > from ? CRLF : FOLD);
      room = blank > from ? limit.most : Math.max(limit.most - 1, 1);
      written = cut;
      from = cut;
    }
    at = next;
  }
  if (!folded) return undefined;
  pieces.push(header.subarray(written));
  return Buffer.concat(pieces);
}

/** The place for a break at or before `cut`, behind a blank if there is one, never within a character of UTF-8. */
function breakBefore(bytes: Uint8Array, from: number, cut: number): number {
  const blank = bytes.lastIndexOf(BLANK, cut - 1);
  if (blank >= from && cut > from) return blank + 1;
  let at = cut;
  while (at > from && at > cut - 4 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at > from ? at : Math.max(cut, from);
}

const CR = 13;
const LF = 10;
const BLANK = 32;
const DOT = 46;
const ONE_CR = Uint8Array.of(CR);
const CRLF = Uint8Array.of(CR, LF);
const FOLD = Uint8Array.of(CR, LF, BLANK);
