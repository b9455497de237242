/**
 * The header of a message, found on raw bytes. Nothing is decoded but the one field somebody asked for. Lines end with
 * LF, with or without a CR before it: what a peer sent is found again, whether it was in order or not.
 */

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

/** Where the header ends; both are offsets into the bytes that were searched. */
export interface HeaderEnd {
  /** Behind the line end of the last field. */
  readonly header: number;
  /** Behind the blank line: the first byte of the body. */
  readonly body: number;
}

/** @returns undefined when no blank line is there: all of it is header, or more is to come */
export function findHeaderEnd(bytes: Uint8Array): HeaderEnd | undefined {
  let line = 0;
  while (line < bytes.length) {
    const next = lineAfter(bytes, line);
    if (next === -1) return undefined;
    if (isBlank(bytes, line, next)) return { header: line, body: next };
    line = next;
  }
  return undefined;
}

/** The same for a header that arrives in pieces: feed them one after the other. */
export class HeaderScanner {
  /** Bytes of the header with its blank line, once it was seen. */
  length: number | undefined = undefined;
  #fed = 0;
  /** What the current line holds so far: nothing, a lone CR, or something. */
  #line: 'empty' | 'CR' | 'text' = 'empty';

  /** @returns whether the end of the header has been seen, in this piece or before */
  feed(piece: Uint8Array): boolean {
    if (this.length !== undefined) return true;
    let at = 0;
    while (at < piece.length) {
      const byte = piece[at];
      if (this.#line !== 'text') {
        if (byte === LF) {
          this.length = this.#fed + at + 1;
          return true;
        }
        this.#line = byte === CR && this.#line === 'empty' ? 'CR' : 'text';
        at += 1;
        continue;
      }
      const end = piece.indexOf(LF, at);
      if (end === -1) break;
      this.#line = 'empty';
      at = end + 1;
    }
    this.#fed += piece.length;
    return false;
  }
}

/** One field, as offsets. */
export interface FieldSpan {
  /** First byte of the name. */
  readonly start: number;
  /** Behind the colon. */
  readonly value: number;
  /** Behind the line end of the last continuation line. */
  readonly end: number;
}

/**
 * The first field of that name at or behind `from`, which must be the start of a line.
 *
 * @param name ASCII, any case, without the colon
 */
export function findField(bytes: Uint8Array, name: string, from = 0): FieldSpan | undefined {
  const wanted = name.toLowerCase();
  let line = from;
  while (line < bytes.length) {
    const next = endOfLine(bytes, line);
    if (isBlank(bytes, line, next)) return undefined;
    const value = valueStart(bytes, line, wanted);
    if (value !== -1) {
      let end = next;
      while (end < bytes.length && isBlankByte(bytes[end])) end = endOfLine(bytes, end);
      return { start: line, value, end };
    }
    line = next;
  }
  return undefined;
}

/** The value of a field on one line: folds removed, blanks around it dropped, bytes as Latin-1 characters. */
export function fieldValue(bytes: Uint8Array, span: FieldSpan): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + span.value, span.end - span.value).toString('latin1');
  return text.replace(/\r?\n(?=[ \t])/g, '').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

/** Trace fields so far: the guard against loops (RFC 5321 §6.3). */
export function countReceived(bytes: Uint8Array): number {
  let count = 0;
  let span = findField(bytes, 'received');
  while (span !== undefined) {
    count += 1;
    span = findField(bytes, 'received', span.end);
  }
  return count;
}

/** @returns the offset behind the colon when the line is this field, else -1 */
function valueStart(bytes: Uint8Array, line: number, lowerName: string): number {
  for (let index = 0; index < lowerName.length; index++) {
    const byte = bytes[line + index];
    if (byte === undefined) return -1;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lower !== lowerName.charCodeAt(index)) return -1;
  }
  let at = line + lowerName.length;
  // Blanks before the colon are obsolete but legal to read (RFC 5322 §4.5).
  while (isBlankByte(bytes[at])) at += 1;
  return bytes[at] === COLON ? at + 1 : -1;
}

const isBlankByte = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;

/** @returns the start of the next line, or -1 when this one has no end */
function lineAfter(bytes: Uint8Array, line: number): number {
  const lf = bytes.indexOf(LF, line);
  return lf === -1 ? -1 : lf + 1;
}

function endOfLine(bytes: Uint8Array, line: number): number {
  const next = lineAfter(bytes, line);
  return next === -1 ? bytes.length : next;
}

function isBlank(bytes: Uint8Array, line: number, next: number): boolean {
  if (bytes[next - 1] !== LF) return false;
  const length = next - line - 1;
  return length === 0 || (length === 1 && bytes[line] === CR);
}
