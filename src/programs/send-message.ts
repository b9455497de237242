import type { Millis, Segments } from '../base/index.ts';
import { mailDate } from '../message/index.ts';

/** What the words of `impetus send` ask for. */
export interface Template {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: TestBody;
  /** Of the host the message claims to come from: Message-ID. */
  readonly hostName: string;
}

/** A body made ready for the wire once, however often it is sent. */
export interface TestBody {
  /** Lines end in CRLF, leading dots are doubled, the final dot is there. */
  readonly wire: Buffer;
  /** The same without dots doubled and without the final one. */
  readonly plain: Buffer;
  /** Bytes as SIZE counts them (RFC 1870 §3): before the dots were doubled, without the final one. */
  readonly size: number;
  readonly eightBit: boolean;
  /** It begins with a header of its own: nothing is put before it. */
  readonly whole: boolean;
}

/** One message for one transaction. */
export interface TestMessage {
  readonly number: number;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** Ready for the wire, final dot included. */
  readonly wire: Segments;
  /** As a protocol without SMTP's framing takes it. */
  readonly plain: Segments;
  readonly size: number;
  readonly eightBit: boolean;
}

const END = '.\r\n';

/**
 * Text as somebody wrote it, with any line ends, made ready for the wire. RFC 5321 §2.3.8 and §4.5.2: every line ends in
 * CRLF, a leading dot is doubled.
 *
 * @param whole  the text is a message with its header, not only a body
 */
export function testBody(text: Uint8Array, whole: boolean): TestBody {
  // Latin-1 keeps every byte as one character, so text in any charset survives.
  let plain = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
    .toString('latin1')
    .replace(/\r\n|\r|\n/g, '\r\n');
  if (plain !== '' && !plain.endsWith('\r\n')) plain += '\r\n';
  const wire = Buffer.from(`${plain.replace(/^\./gm, '..')}${END}`, 'latin1');
  return { wire, plain: Buffer.from(plain, 'latin1'), size: plain.length, eightBit: /[\x80-\xff]/.test(plain), whole };
}

/** @returns whether text begins with a header field (RFC 5322 §2.2), so that it is a message by itself */
export function beginsWithHeader(text: Uint8Array): boolean {
  return /^[!-9;-~]{1,76}:[ \t\r\n]/.test(Buffer.from(text.subarray(0, 100)).toString('latin1'));
}

/** @returns lines of 72 characters, with their CRLFs exactly `bytes` long; numbered, so that a cut is seen */
export function fillerText(bytes: number): Buffer {
  const filler = Buffer.alloc(Math.max(0, bytes), 0x78);
  let line = 1;
  for (let at = 0; at < filler.length; line++) {
    const end = Math.min(at + 74, filler.length);
    // A last line too short for a CRLF of its own would grow when it is sent: the line before takes it in.
    const next = filler.length - end < 3 ? filler.length : end;
    filler.write(`${line} `, at, Math.max(0, next - at - 2), 'latin1');
    if (next - at >= 2) filler.write('\r\n', next - 2, 'latin1');
    at = next;
  }
  return filler;
}

/**
 * The message of that number. `{n}` in addresses and subject becomes the number.
 *
 * @param date  milliseconds since the epoch
 * @param token  what makes the Message-ID unique between runs
 */
export function testMessage(template: Template, number: number, date: Millis, token: string): TestMessage {
  const numbered = (text: string): string => text.replaceAll('{n}', String(number));
  const recipients = template.to.map(numbered);
  const reversePath = numbered(template.from);
  const { wire, plain, size, eightBit, whole } = template.text;
  if (whole) return { number, reversePath, recipients, wire: [wire], plain: [plain], size, eightBit };
  const header = Buffer.from(
    [
      `Date: ${mailDate(date)}`,
      `From: <${reversePath}>`,
      `To: ${recipients.map((path) => `<${path}>`).join(',\r\n ')}`,
      `Subject: ${encodedSubject(numbered(template.subject))}`,
      `Message-ID: <${token}.${number}@${template.hostName}>`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}`,
      '\r\n',
    ].join('\r\n'),
    'latin1',
  );
  return {
    number,
    reversePath,
    recipients,
    wire: [header, wire],
    plain: [header, plain],
    size: header.length + size,
    eightBit,
  };
}

/** RFC 2047: a subject that is not plain ASCII becomes encoded words of at most 75 characters, cut between characters. */
function encodedSubject(subject: string): string {
  const plain = subject.replace(/[\r\n\0]+/g, ' ');
  if (/^[\x20-\x7e]*$/.test(plain)) return plain;
  const words: string[] = [];
  let part = '';
  for (const character of plain) {
    if (Buffer.byteLength(part + character) > 45) {
      words.push(part);
      part = '';
    }
    part += character;
  }
  words.push(part);
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}
