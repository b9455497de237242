import { isAscii } from 'node:buffer';
import { fieldValue, findField, findHeaderEnd } from './headers.ts';

/*
 * Content that the next server does not take is encoded part by part (RFC 2045 §6, 2046, 6152 §3, 3030 §3): a part's
 * header says how its body is encoded, so nothing else of the message need change.
 */

/** `binary`: parts that are labelled so; `8bit`: parts with bytes above 127, and binary ones. */
export type Unwanted = 'binary' | '8bit';

export interface Reencoded {
  readonly bytes: Buffer;
  /** Something is left that could not be encoded: in a header, in a signed part, around the parts of a multipart. */
  readonly residue: boolean;
}

/** A message nested deeper is left as it is. */
const DEEPEST = 30;

/** @param message  a whole message, lines ended by CRLF but in binary parts */
export function reencode(message: Buffer, unwanted: Unwanted): Reencoded {
  const work: Work = { unwanted, residue: false };
  const bytes = entity(message, work, 0);
  return { bytes, residue: work.residue };
}

/** Whether somebody has signed the message, or part of it: then its bytes are not ours to change. */
export function isSigned(message: Buffer): boolean {
  const header = message.subarray(0, findHeaderEnd(message)?.header);
  if (['dkim-signature', 'domainkey-signature', 'arc-message-signature'].some((name) => findField(header, name)))
    return true;
  return /^(?:multipart\/signed|multipart\/encrypted|application\/(?:x-)?pkcs7-)/i.test(field(header, 'content-type'));
}

/** What a server that cuts the eighth bit would make of it. */
export function stripped(message: Buffer): Buffer {
  const bytes = Buffer.from(message);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) & 0x7f;
  return bytes;
}

interface Work {
  readonly unwanted: Unwanted;
  residue: boolean;
}

function entity(bytes: Buffer, work: Work, depth: number): Buffer {
  const end = findHeaderEnd(bytes);
  const header = bytes.subarray(0, end?.header);
  const between = end === undefined ? EMPTY : bytes.subarray(end.header, end.body);
  const body = end === undefined ? EMPTY : bytes.subarray(end.body);
  const high = work.unwanted === '8bit';
  if (high && !isAscii(header)) work.residue = true;
  const type = field(header, 'content-type');
  const encoding = field(header, 'content-transfer-encoding').toLowerCase();
  const encoded = encoding === 'base64' || encoding === 'quoted-printable';
  const binary = encoding === 'binary';
  const kind = /^[a-z]+\/[^\s;]*/i.exec(type)?.[0].toLowerCase() ?? 'text/plain';
  const wanted = (high && !isAscii(body)) || binary;
  if (!wanted && !kind.startsWith('multipart/') && !kind.startsWith('message/')) return bytes;

  if (kind.startsWith('multipart/') || kind === 'message/rfc822' || kind === 'message/global') {
    if (encoded || depth >= DEEPEST || kind === 'multipart/signed') {
      if (wanted) work.residue = true;
      return bytes;
    }
    const inner = kind.startsWith('multipart/') ? multipart(body, type, work, depth) : entity(body, work, depth + 1);
    if (inner === undefined || (inner.equals(body) && !wanted)) {
      if (inner === undefined && wanted) work.residue = true;
      return bytes;
    }
    const label = binary || encoding === '8bit' ? (isAscii(inner) ? '7bit' : '8bit') : undefined;
    return Buffer.concat([label === undefined ? header : labelled(header, label), between, inner]);
  }
  // What a message/… of another kind holds must not be encoded (RFC 2046 §5.2); an encoded body has no such bytes.
  if (!wanted) return bytes;
  if (kind.startsWith('message/') || encoded) {
    work.residue = true;
    return bytes;
  }
  const quoted = kind.startsWith('text/') && !(binary && LONE.test(body.toString('latin1'))) && isMostlyAscii(body);
  const named = depth === 0 ? inMime(header, type) : header;
  return Buffer.concat([
    labelled(named, quoted ? 'quoted-printable' : 'base64'),
    between.length === 0 ? CRLF : between,
    Buffer.from(quoted ? quotedPrintable(body) : base64(body), 'latin1'),
  ]);
}

/** @returns undefined when its boundary is not to be found */
function multipart(body: Buffer, type: string, work: Work, depth: number): Buffer | undefined {
  const [, inQuotes, plain] = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(type) ?? [];
  const boundary = inQuotes?.replace(/\\(.)/g, '$1') ?? plain;
  if (boundary === undefined || boundary === '') return undefined;
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const pieces: Buffer[] = [];
  let written = 0;
  let from = -1;
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + mark.length)) {
    if (at !== 0 && body[at - 1] !== LF) continue;
    const lf = body.indexOf(LF, at);
    const line = body.toString('latin1', at + mark.length, lf === -1 ? body.length : lf).trimEnd();
    if (line !== '' && line !== '--') continue;
    // The line end in front of a delimiter is part of it (RFC 2046 §5.1.1).
    const stop = at >= 2 && body[at - 2] === CR ? at - 2 : Math.max(at - 1, 0);
    if (from === -1) keepOutside(body.subarray(0, at), work);
    else if (stop >= from) {
      pieces.push(body.subarray(written, from), entity(body.subarray(from, stop), work, depth + 1));
      written = stop;
    }
    from = lf === -1 ? body.length : lf + 1;
    if (line === '--') {
      keepOutside(body.subarray(from), work);
      from = -2;
      break;
    }
  }
  if (from === -1) return undefined;
  // Without a last delimiter the last part goes to the end.
  if (from >= 0) {
    pieces.push(body.subarray(written, from), entity(body.subarray(from), work, depth + 1));
    written = body.length;
  }
  pieces.push(body.subarray(written));
  return Buffer.concat(pieces);
}

/** Text before and behind the parts has no header that could say how it is encoded. */
function keepOutside(bytes: Buffer, work: Work): void {
  if (work.unwanted === '8bit' && !isAscii(bytes)) work.residue = true;
}

function labelled(header: Buffer, encoding: string): Buffer {
  const line = Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n`, 'latin1');
  const span = findField(header, 'content-transfer-encoding');
  if (span === undefined) return Buffer.concat([header, endsLine(header) ? EMPTY : CRLF, line]);
  return Buffer.concat([header.subarray(0, span.start), line, header.subarray(span.end)]);
}

/** Mail from before MIME gets its header; nobody knows which characters its bytes mean (RFC 1428). */
function inMime(header: Buffer, type: string): Buffer {
  const version = findField(header, 'mime-version') === undefined ? 'MIME-Version: 1.0\r\n' : '';
  const content = type === '' ? 'Content-Type: text/plain; charset=unknown-8bit\r\n' : '';
  if (version === '' && content === '') return header;
  return Buffer.concat([header, endsLine(header) ? EMPTY : CRLF, Buffer.from(version + content, 'latin1')]);
}

const endsLine = (header: Buffer): boolean => header.length === 0 || header[header.length - 1] === LF;

/** Quoted-printable costs three octets for each byte above 127, base64 a third for all. */
function isMostlyAscii(body: Buffer): boolean {
  const high = body.toString('latin1').match(/[^\t\r\n\x20-\x7e]/g)?.length ?? 0;
  return high * 6 <= body.length;
}

const field = (header: Buffer, name: string): string => {
  const span = findField(header, name);
  return span === undefined ? '' : fieldValue(header, span);
};

function base64(body: Buffer): string {
  const text = body.toString('base64');
  return text.replace(/.{76}(?=.)/g, '$&\r\n');
}

/** RFC 2045 §6.7: lines stay lines, none is longer than 76 characters. */
function quotedPrintable(body: Buffer): string {
  const escaped = (character: string): string =>
    `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return body
    .toString('latin1')
    .split(/\r\n|\r|\n/)
    .map((line) => softBroken(line.replace(/[^\t\x20-\x3c\x3e-\x7e]/g, escaped).replace(/[\t ]$/, escaped)))
    .join('\r\n');
}

/** A soft break never cuts `=XX`. */
function softBroken(text: string): string {
  let out = '';
  let rest = text;
  while (rest.length > 76) {
    let cut = 75;
    if (rest[cut - 1] === '=') cut -= 1;
    else if (rest[cut - 2] === '=') cut -= 2;
    out += `${rest.slice(0, cut)}=\r\n`;
    rest = rest.slice(cut);
  }
  return out + rest;
}

const LF = 10;
const CR = 13;
const EMPTY = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n', 'latin1');
const LONE = /\r(?!\n)|(?<!\r)\n/;
