/** What is quoted of a failed message, and how its bytes are made fit to be quoted. */

const LF = 10;
const CR = 13;
const NUL = 0;

/** RFC 5322 §2.1.1, without the line end. */
const longestLine = 998;

export interface FitText {
  readonly bytes: Buffer;
  readonly eightBit: boolean;
}

/**
 * Bytes as received, made into lines that any server takes: a lone CR or LF becomes CRLF, a NUL `?`, a line over 998
 * bytes is broken (in a header by a fold, so that it stays one field), and the last line ends.
 */
export function fitLines(bytes: Uint8Array, kind: 'header' | 'body'): FitText {
  const pieces: Uint8Array[] = [];
  const line = Buffer.from('\r\n');
  const fold = kind === 'header' ? Buffer.from('\r\n ') : line;
  const broken = fold.length - 2;
  let from = 0;
  let column = 0;
  let eightBit = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === CR && bytes[at + 1] === LF) {
      at += 1;
      column = 0;
    } else if (byte === CR || byte === LF) {
      pieces.push(bytes.subarray(from, at), line);
      from = at + 1;
      column = 0;
    } else if (byte === NUL) {
      pieces.push(bytes.subarray(from, at), Buffer.of(63));
      from = at + 1;
      column += 1;
    } else {
      if (byte > 127) eightBit = true;
      if (column === longestLine) {
        pieces.push(bytes.subarray(from, at), fold);
        from = at;
        column = broken;
      }
      column += 1;
    }
  }
  pieces.push(bytes.subarray(from));
  if (bytes.length > 0 && column > 0) pieces.push(line);
  return { bytes: Buffer.concat(pieces), eightBit };
}

/** Whether some line begins with a dot: whoever sends the bytes has to double it. */
export function hasDots(bytes: Buffer): boolean {
  return bytes[0] === 46 || bytes.indexOf('\n.') !== -1;
}

/** Text for people that may hold bytes of a peer (Latin-1 characters): as Unicode, controls as blanks. */
export function readable(text: string): string {
  const decoded =
    /[^\0-\x7f]/.test(text) && !/[^\0-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
  return decoded.replace(/[\0-\x1f\x7f-\x9f]/g, ' ');
}

/** Text for programs: printable ASCII, everything else `?`. */
export function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** Lines of at most `width` characters, broken at blanks where there are any, each with `indent` before it. */
export function wrapped(text: string, width: number, indent: string): string {
  let lines = '';
  let rest = text.trim();
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const cut = blank > 0 ? blank : width;
    lines += `${indent}${rest.slice(0, cut).trimEnd()}\r\n`;
    rest = rest.slice(cut).trimStart();
  }
  return rest === '' ? lines : `${lines}${indent}${rest}\r\n`;
}

/** A field of a delivery status (RFC 3464 §2.1.1): on one line while that is legal, then folded. */
export function statusField(name: string, value: string): string {
  const text = `${name}: ${ascii(value)}`;
  return text.length <= longestField ? `${text}\r\n` : wrapped(text, longestField, ' ').slice(1);
}

/** Well below the limit, so that a fold fits in. */
const longestField = 900;
