import { type Reply, reply } from './reply.ts';

/** What a peer answered: a reply with its lines as they came (without code), or something that is none. */
export type ReplyRead =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly lines: readonly string[] }
  | { readonly kind: 'garbage'; readonly text: string };

/** Kept of one reply; the rest is read and forgotten. */
export const MOST_REPLY_BYTES = 8192;
/** A reply that is still going on after so much is no reply. */
const MOST_ENDLESS_BYTES = 1 << 20;

/**
 * Reads a peer's replies (RFC 5321 §4.2.1) from chunks cut anywhere. The lines of one reply are joined to one text: code
 * and enhanced code once, single blanks. When the codes of the lines differ, the last one counts (RFC 5321 forbids it,
 * some peers do it). A code outside 200 to 599, a line without a code, or an endless reply is `garbage`.
 */
export class ReplyReader {
  #held = '';
  #at = 0;
  #lines: string[] = [];
  #kept = 0;
  #read = 0;

  receive(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const text = bytes.toString('latin1');
    this.#held = this.#at === this.#held.length ? text : this.#held.slice(this.#at) + text;
    this.#at = 0;
  }

  /** Bytes held that are not yet a whole line. */
  get buffered(): number {
    return this.#held.length - this.#at;
  }

  /** Whether some lines of a reply have come and its end has not. */
  get midReply(): boolean {
    return this.#read > 0 || this.buffered > 0;
  }

  next(): ReplyRead | undefined {
    for (;;) {
      const lf = this.#held.indexOf('\n', this.#at);
      if (lf === -1) return this.#shorten();
      // What is too long is cut first, as it is when it comes in pieces.
      let end = Math.min(lf, this.#at + MOST_REPLY_BYTES);
      if (end > this.#at && this.#held.charCodeAt(end - 1) === CR) end -= 1;
      const line = this.#held.slice(this.#at, end);
      this.#read += lf + 1 - this.#at;
      this.#at = lf + 1;
      const read = this.#take(line);
      if (read !== undefined) return read;
    }
  }

  /** A line without end must not grow: only its beginning would be kept anyway. */
  #shorten(): ReplyRead | undefined {
    const excess = this.buffered - MOST_REPLY_BYTES;
    if (excess <= 0) return undefined;
    this.#held = this.#held.slice(this.#at, this.#at + MOST_REPLY_BYTES);
    this.#at = 0;
    this.#read += excess;
    if (this.#read <= MOST_ENDLESS_BYTES) return undefined;
    this.#held = '';
    return this.#garbage('a line without end');
  }

  #take(line: string): ReplyRead | undefined {
    const code = codeOf(line);
    const mark = line.charCodeAt(3);
    if (code === 0 || !(line.length === 3 || mark === BLANK || mark === HYPHEN)) return this.#garbage(line);
    if (this.#read > MOST_ENDLESS_BYTES) return this.#garbage('a reply without end');
    if (this.#kept < MOST_REPLY_BYTES) {
      const text = line.slice(4, 4 + MOST_REPLY_BYTES - this.#kept);
      this.#lines.push(text);
      this.#kept += text.length + 1;
    }
    if (mark === HYPHEN) return undefined;
    const lines = this.#lines;
    this.#reset();
    return { kind: 'reply', reply: joinedReply(code, lines), lines };
  }

  #garbage(text: string): ReplyRead {
    this.#reset();
    return { kind: 'garbage', text: oneLine(text.slice(0, 200)) };
  }

  #reset(): void {
    this.#lines = [];
    this.#kept = 0;
    this.#read = 0;
  }
}

const CR = 13;
const BLANK = 32;
const HYPHEN = 45;
const DOT = 46;
const ZERO = 48;

function joinedReply(code: number, lines: readonly string[]): Reply {
  let enhanced: string | undefined;
  let text = '';
  for (const line of lines) {
    const length = enhancedLength(code, line);
    if (length > 0) enhanced ??= line.slice(0, length);
    const rest = length > 0 ? line.slice(length) : line;
    text = text === '' ? rest : `${text} ${rest}`;
  }
  return reply(code, enhanced, oneLine(text));
}

/** @returns 0 when there is no code in 200 … 599 */
function codeOf(line: string): number {
  const hundreds = line.charCodeAt(0) - ZERO;
  const tens = line.charCodeAt(1) - ZERO;
  const ones = line.charCodeAt(2) - ZERO;
  if (!(hundreds >= 2 && hundreds <= 5 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return 0;
  return hundreds * 100 + tens * 10 + ones;
}

/** @returns characters of an enhanced code at the start of a text; 0 when there is none of the reply's own class */
function enhancedLength(code: number, text: string): number {
  if (text.charCodeAt(0) - ZERO !== Math.trunc(code / 100) || text.charCodeAt(1) !== DOT) return 0;
  const subject = digits(text, 2);
  if (subject === 2 || subject > 5 || text.charCodeAt(subject) !== DOT) return 0;
  const end = digits(text, subject + 1);
  if (end === subject + 1 || end > subject + 4) return 0;
  return end === text.length || text.charCodeAt(end) === BLANK ? end : 0;
}

function digits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= ZERO + 9) at += 1;
  return at;
}

/** Peers put tabs, CRs and worse into their texts; a log line must not be split by them. */
function oneLine(text: string): string {
  return /[\x00-\x1f\x7f]|^ | {2}| $/.test(text) ? text.replace(/[\x00-\x20\x7f]+/g, ' ').trim() : text;
}
