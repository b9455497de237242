/** Transfer encodings (RFC 2045 6): what a body looks like on lines that every server takes. */

const LINE = 76;
/** RFC 5322 2.1.1, without the line end. */
const LONGEST_LINE = 998;

/** A text with CRLF as its only line end. */
export const withCrlf = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n');

/** @param bytes of anything */
export function base64Lines(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE) lines.push(text.slice(at, at + LINE));
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
}

/** A text part with its Content-Transfer-Encoding: as it is when that is safe, quoted-printable otherwise. */
export function textBody(text: string): { readonly encoding: '7bit' | 'quoted-printable'; readonly body: Buffer } {
  const lines = withCrlf(text);
  const whole = lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
  if (isPlain(whole)) return { encoding: '7bit', body: Buffer.from(whole, 'latin1') };
  return { encoding: 'quoted-printable', body: quotedPrintable(whole) };
}

/** Our boundaries begin with `=_`, which quoted-printable never writes: text that could hold one is encoded. */
function isPlain(text: string): boolean {
  if (!/^[\t\r\n\x20-\x7e]*$/.test(text) || text.includes('--=_')) return false;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const length = (end === -1 ? text.length : end) - at;
    if (length > LONGEST_LINE) return false;
    if (end === -1) break;
    at = end + 1;
  }
  return true;
}

const HEX = Buffer.from('0123456789ABCDEF', 'latin1');
const [TAB, LF, CR, SPACE, EQUALS] = [9, 10, 13, 32, 61];

/** @param text whose line ends are CRLF: these stay */
export function quotedPrintable(text: string): Buffer {
  const from = Buffer.from(text, 'utf8');
  // Three bytes for each, and three more for each soft line break.
  const to = Buffer.allocUnsafe(from.length * 3 + Math.ceil((from.length * 3) / (LINE - 3)) * 3 + 3);
  let at = 0;
  let column = 0;
  for (let index = 0; index < from.length; index++) {
    const byte = from[index] ?? 0;
    if (byte === CR && from[index + 1] === LF) {
      to[at++] = CR;
      to[at++] = LF;
      index++;
      column = 0;
      continue;
    }
    const blank = byte === SPACE || byte === TAB;
    const next = from[index + 1];
    const plain = blank ? next !== undefined && next !== CR : byte > SPACE && byte < 127 && byte !== EQUALS;
    const width = plain ? 1 : 3;
    if (column + width > LINE - 1) {
      to[at++] = EQUALS;
      to[at++] = CR;
      to[at++] = LF;
      column = 0;
    }
    if (plain) to[at++] = byte;
    else {
      to[at++] = EQUALS;
      to[at++] = HEX[byte >>> 4] ?? 0;
      to[at++] = HEX[byte & 15] ?? 0;
    }
    column += width;
  }
  return to.subarray(0, at);
}

/** @returns the bytes that a quoted-printable body stands for */
export function fromQuotedPrintable(body: string): Buffer {
  const text = body
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .join('\r\n')
    .replaceAll('=\r\n', '');
  return Buffer.from(
    text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

/** @returns undefined for text that is no base64, or has line breaks in it */
export function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
