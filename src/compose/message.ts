import type { Segments } from '../base/index.ts';
import { base64Lines, textBody } from './encode.ts';
import { type Field, fieldText, parameter } from './fields.ts';

/** A file within a message, encoded once and shared by all messages that have it. */
export interface EncodedFile {
  /** Its own header fields and the blank line behind them. */
  readonly head: Buffer;
  readonly body: Buffer;
}

/** @param type `image/png`; parameters may follow */
export function attachment(name: string, type: string, data: Uint8Array): EncodedFile {
  const head = `Content-Type: ${type}${parameter('name', name)}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment${parameter('filename', name)}\r\n\r\n`;
  return { head: Buffer.from(head, 'latin1'), body: base64Lines(data) };
}

/** As a URL writes it: HTML that names the image by other letters than ASCII means the same. */
const contentId = (name: string): string => (/^[\x21-\x7e]*$/.test(name) ? name : encodeURI(name.toWellFormed()));

/** Found by `cid:` and its name. */
export function inlineImage(name: string, type: string, data: Uint8Array): EncodedFile {
  const head = `Content-Type: ${type}${parameter('name', name)}\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <${contentId(name)}>\r\nContent-Disposition: inline${parameter('filename', name)}\r\n\r\n`;
  return { head: Buffer.from(head, 'latin1'), body: base64Lines(data) };
}

export interface MessageParts {
  /** Without those about MIME. */
  readonly fields: readonly Field[];
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly amp: string | undefined;
  readonly inline: readonly EncodedFile[];
  readonly attachments: readonly EncodedFile[];
  /** What no other message has: boundaries are made of it. Letters, digits and dots. */
  readonly id: string;
}

/** `head` has no blank line behind it. */
interface Entity {
  readonly head: string;
  readonly body: Segments;
}

/**
 * A whole message: alternative(text, amp, related(html, images)) inside mixed with the attachments, and no container
 * around a single part. Lines end with CRLF, and so does the message.
 */
export function buildMessage(parts: MessageParts): Segments {
  let boundaries = 0;
  const multipart = (kind: string, children: readonly Segments[]): Entity => {
    const boundary = `=_${parts.id}_${boundaries++}`;
    const between = Buffer.from(`\r\n--${boundary}\r\n`, 'latin1');
    const body: Uint8Array[] = [];
    for (const child of children) body.push(between, ...child);
    body.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'));
    return { head: `Content-Type: multipart/${kind};\r\n boundary="${boundary}"\r\n`, body };
  };
  const leaf = (type: string, text: string): Entity => {
    const { encoding, body } = textBody(text);
    return {
      head: `Content-Type: ${type}; charset=UTF-8\r\nContent-Transfer-Encoding: ${encoding}\r\n`,
      body: [body],
    };
  };

  let html = parts.html === undefined ? undefined : leaf('text/html', parts.html);
  if (html !== undefined && parts.inline.length > 0)
    html = multipart('related', [whole(html), ...parts.inline.map(file)]);
  const readable = [
    parts.text === undefined ? undefined : leaf('text/plain', parts.text),
    parts.amp === undefined ? undefined : leaf('text/x-amp-html', parts.amp),
    html,
  ].filter((each) => each !== undefined);
  const [only] = readable;
  let top = readable.length === 1 && only !== undefined ? only : multipart('alternative', readable.map(whole));
  const loose = parts.html === undefined ? [...parts.inline, ...parts.attachments] : parts.attachments;
  if (loose.length > 0) top = multipart('mixed', [whole(top), ...loose.map(file)]);
  const fields = parts.fields.map(fieldText).join('');
  return [Buffer.from(`${fields}MIME-Version: 1.0\r\n${top.head}\r\n`, 'latin1'), ...top.body];
}

const whole = ({ head, body }: Entity): Segments => [Buffer.from(`${head}\r\n`, 'latin1'), ...body];
const file = ({ head, body }: EncodedFile): Segments => [head, body];
