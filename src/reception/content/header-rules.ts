import { findField } from '../../message/index.ts';
import type { Reply } from '../../smtp/index.ts';
import { replies } from '../replies.ts';
import { foldHeader, type LineLimit } from './long-lines.ts';

/** The options `RFC2822_…` that are about a header. */
export interface HeaderRules {
  readonly date: 'ifneeded' | 'pedantic' | 'ignore';
  readonly messageId: 'ifneeded' | 'ignore';
  readonly missing: 'reject' | 'allow';
  readonly lines: LineLimit | undefined;
  /** Return-Path is ours to write. */
  readonly trace: boolean;
}

/** What is put into a header that lacks it; each a whole field with its line end. */
export interface MissingFields {
  readonly date: () => string;
  readonly messageId: () => string;
}

export interface JudgedHeader {
  /** The header as it is kept, with the blank line behind it. */
  readonly bytes: Buffer;
  readonly trouble: Reply | undefined;
  readonly dateMissing: boolean;
}

/**
 * Judges a header once all of it is here, and adds what it lacks.
 *
 * @param header  up to its blank line and with it, if there is one
 */
export function judgeHeader(header: Buffer, rules: HeaderRules, fields: MissingFields): JudgedHeader {
  const shape = shapeOf(header);
  if (shape !== 'fields' && rules.missing === 'reject') {
    const trouble = shape === 'none' ? replies.headersMissing : replies.headerInvalid;
    return { bytes: header, trouble, dateMissing: true };
  }
  const dateMissing = shape === 'none' || findField(header, 'date') === undefined;
  if (dateMissing && rules.date === 'pedantic') return { bytes: header, trouble: replies.dateMissing, dateMissing };
  let bytes = rules.trace && shape !== 'none' ? withoutField(header, 'return-path') : header;
  const folded = rules.lines === undefined ? undefined : foldHeader(bytes, rules.lines);
  if (folded !== undefined) {
    if (rules.lines?.act === 'reject') return { bytes, trouble: replies.headerLineTooLong, dateMissing };
    bytes = folded;
  }
  const nameless =
    rules.messageId === 'ifneeded' && (shape === 'none' || findField(header, 'message-id') === undefined);
  const added = (dateMissing && rules.date === 'ifneeded' ? fields.date() : '') + (nameless ? fields.messageId() : '');
  if (shape === 'none') {
    // What would be read as fields is content: a blank line says so.
    const blank = startsBlank(header) || (header.length === 0 && added === '') ? '' : '\r\n';
    return { bytes: Buffer.concat([Buffer.from(added + blank, 'latin1'), bytes]), trouble: undefined, dateMissing };
  }
  if (added !== '') bytes = Buffer.concat([Buffer.from(added, 'latin1'), bytes]);
  return { bytes, trouble: undefined, dateMissing };
}

/** `none`: the first line is no field. `broken`: some other line is neither a field nor goes on with one. */
function shapeOf(header: Buffer): 'fields' | 'none' | 'broken' {
  let first = true;
  for (let at = 0; at < header.length; ) {
    const lf = header.indexOf(LF, at);
    const next = lf === -1 ? header.length : lf + 1;
    const byte = header[at];
    if (byte === LF || (byte === CR && lf === at + 1)) return first ? 'none' : 'fields';
    const continues = byte === BLANK || byte === TAB;
    if (continues ? first : !isField(header, at, next)) return first ? 'none' : 'broken';
    first = false;
    at = next;
  }
  return first ? 'none' : 'fields';
}

/** RFC 5322 §2.2 and §4.5: printable octets, blanks in front of the colon as obsolete mail has them. */
function isField(bytes: Buffer, from: number, end: number): boolean {
  let at = from;
  // UTF-8 in a name is not legal either, but nothing breaks by it.
  while (at < end && (bytes[at] ?? 0) > BLANK && bytes[at] !== COLON && bytes[at] !== 127) at += 1;
  if (at === from) return false;
  while (bytes[at] === BLANK || bytes[at] === TAB) at += 1;
  return at < end && bytes[at] === COLON;
}

function withoutField(header: Buffer, name: string): Buffer {
  let bytes = header;
  for (let span = findField(bytes, name); span !== undefined; span = findField(bytes, name, span.start))
    bytes = Buffer.concat([bytes.subarray(0, span.start), bytes.subarray(span.end)]);
  return bytes;
}

const startsBlank = (header: Buffer): boolean => header[0] === LF || (header[0] === CR && header[1] === LF);

const TAB = 9;
const LF = 10;
const CR = 13;
const BLANK = 32;
const COLON = 58;
