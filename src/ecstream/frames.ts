import { crc32, deflateRawSync } from 'node:zlib';
import { bytesIn, type Segments } from '../base/index.ts';
import type { Reply } from '../smtp/index.ts';
import { type AddressEncoding, type ContextValues, envelopeBytes, NO_VALUES, type WireEnvelope } from './envelope.ts';

/** The client's first bytes. They hold an 8-bit byte, both line ends and a control, so that no text protocol begins so. */
export const PREFACE: Uint8Array = Buffer.from('894543530d0a1a0a', 'hex');
/** EXS, the version that both machines here speak. */
export const VERSION = 1;
export const HEADER_BYTES = 12;
/** The index in a REPLY that speaks about all recipients. */
export const WHOLE = 0xffff;

/** Types of frames. */
export const types = {
  hello: 0x01,
  welcome: 0x02,
  auth: 0x03,
  authOk: 0x04,
  message: 0x10,
  body: 0x11,
  ack: 0x20,
  reply: 0x21,
  window: 0x30,
  flush: 0x31,
  ping: 0x40,
  pong: 0x41,
  bye: 0x51,
} as const;

/** Flags of MESSAGE and BODY. */
export const END = 1;
export const DEFLATED = 2;

/** What both sides have set is on. */
export const capabilities = { ids: 1, dedup: 2, crc: 4, deflate: 8 } as const;

/** Of the AUTH frame: a user with a password (RFC 4616), or an API key. */
export const mechanisms = { plain: 1, apiKey: 2 } as const;
export type Mechanism = (typeof mechanisms)[keyof typeof mechanisms];

export interface Hello {
  readonly lowest: number;
  readonly highest: number;
  readonly capabilities: number;
  readonly client: string;
  readonly host: string;
}

export interface Welcome {
  readonly version: number;
  readonly auth: boolean;
  readonly maxRecipients: number;
  readonly capabilities: number;
  readonly maxFrame: number;
  /** 0 is no limit. */
  readonly maxMessage: number;
  readonly windowMessages: number;
  readonly windowBytes: number;
  readonly ackMillis: number;
  readonly host: string;
}

/** @param payload bytes behind the header */
function frame(type: number, flags: number, seq: number, payload: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload);
  header(bytes, type, flags, seq, payload);
  return bytes;
}

function header(bytes: Buffer, type: number, flags: number, seq: number, payload: number): void {
  bytes.writeUInt32BE(payload, 0);
  bytes[4] = type;
  bytes[5] = flags;
  bytes[6] = 0;
  bytes[7] = 0;
  bytes.writeUInt32BE(seq, 8);
}

function str16(bytes: Buffer, at: number, text: string, encoding: AddressEncoding = 'utf8'): number {
  const length = bytes.write(text, at + 2, encoding);
  if (length > 0xffff) throw new RangeError('a text of a frame has more than 65,535 bytes');
  bytes.writeUInt16BE(length, at);
  return at + 2 + length;
}

const utf8 = (text: string): number => Buffer.byteLength(text, 'utf8');

export function helloFrame(hello: Hello): Buffer {
  const bytes = frame(types.hello, 0, 0, 12 + utf8(hello.client) + utf8(hello.host));
  bytes[12] = hello.lowest;
  bytes[13] = hello.highest;
  bytes.writeUInt16BE(0, 14);
  bytes.writeUInt32BE(hello.capabilities, 16);
  str16(bytes, str16(bytes, 20, hello.client), hello.host);
  return bytes;
}

export function welcomeFrame(welcome: Welcome): Buffer {
  const bytes = frame(types.welcome, 0, 0, 30 + utf8(welcome.host));
  bytes[12] = welcome.version;
  bytes[13] = welcome.auth ? 1 : 0;
  bytes.writeUInt16BE(welcome.maxRecipients, 14);
  bytes.writeUInt32BE(welcome.capabilities, 16);
  bytes.writeUInt32BE(welcome.maxFrame, 20);
  bytes.writeUInt32BE(welcome.maxMessage, 24);
  bytes.writeUInt32BE(welcome.windowMessages, 28);
  bytes.writeUInt32BE(welcome.windowBytes, 32);
  bytes.writeUInt16BE(welcome.ackMillis, 36);
  bytes.writeUInt16BE(0, 38);
  str16(bytes, 40, welcome.host);
  return bytes;
}

/** @param mechanism 1 PLAIN, 2 API key */
export function authFrame(mechanism: number, response: Uint8Array): Buffer {
  const bytes = frame(types.auth, 0, 0, 3 + response.length);
  bytes[12] = mechanism;
  bytes.writeUInt16BE(response.length, 13);
  bytes.set(response, 15);
  return bytes;
}

/** FLUSH, AUTH_OK. */
export const emptyFrame = (type: number, seq: number): Buffer => frame(type, 0, seq, 0);

/** PING and PONG. @param opaque 8 bytes */
export function pingFrame(type: number, opaque: Uint8Array): Buffer {
  const bytes = frame(type, 0, 0, 8);
  bytes.set(opaque.subarray(0, 8), HEADER_BYTES);
  return bytes;
}

/** @param ids of the accepted messages in order, where the client wants them */
export function ackFrame(seq: number, accepted: number, ids: readonly string[] = []): Buffer {
  let length = 4;
  for (const id of ids) length += 1 + id.length;
  const bytes = frame(types.ack, 0, seq, length);
  bytes.writeUInt32BE(accepted, 12);
  let at = 16;
  for (const id of ids) {
    bytes[at] = id.length;
    at += 1 + bytes.write(id, at + 1, 'latin1');
  }
  return bytes;
}

/** @param index of the recipient, or `WHOLE` */
export function replyFrame(seq: number, index: number, said: Reply): Buffer {
  const text = said.text.length > MOST_TEXT ? said.text.slice(0, MOST_TEXT) : said.text;
  const bytes = frame(types.reply, 0, seq, 12 + utf8(text));
  const [kind = 0, subject = 0, detail = 0] = (said.enhanced ?? '').split('.').map(Number);
  bytes.writeUInt16BE(index, 12);
  bytes.writeUInt16BE(said.code, 14);
  bytes[16] = kind;
  bytes[17] = 0;
  bytes.writeUInt16BE(subject, 18);
  bytes.writeUInt16BE(detail, 20);
  str16(bytes, 22, text);
  return bytes;
}

export function windowFrame(messages: number, bytes: number): Buffer {
  const made = frame(types.window, 0, 0, 8);
  made.writeUInt32BE(messages, 12);
  made.writeUInt32BE(bytes, 16);
  return made;
}

/** @param seq the last message that the sender of this has taken over */
export function byeFrame(seq: number, code: number, text: string): Buffer {
  const short = text.length > MOST_TEXT ? text.slice(0, MOST_TEXT) : text;
  const bytes = frame(types.bye, 0, seq, 4 + utf8(short));
  bytes.writeUInt16BE(code, 12);
  str16(bytes, 14, short);
  return bytes;
}

/** Longest text of a REPLY or BYE, in characters. */
const MOST_TEXT = 1000;

function writeContext(bytes: Buffer, from: number, values: ContextValues): number {
  let at = from + 2;
  let count = 0;
  if (values !== NO_VALUES) {
    for (const name in values) {
      count += 1;
      at = str16(bytes, at, name);
      const length = bytes.write(values[name] ?? '', at + 4, 'utf8');
      bytes.writeUInt32BE(length, at);
      at += 4 + length;
    }
  }
  bytes.writeUInt16BE(count, from);
  return at;
}

/** How a body goes out. */
export interface BodyCoding {
  readonly deflate: boolean;
  /** The sum of all bytes of the body, for the END frame. */
  readonly crc: number | undefined;
}
export const PLAIN_BODY: BodyCoding = { deflate: false, crc: undefined };

/**
 * A MESSAGE frame, ready for one write.
 *
 * @param body the first part of it, or all
 */
export function messageFrame(
  seq: number,
  envelope: WireEnvelope,
  body: Segments,
  end: boolean,
  coding: BodyCoding = PLAIN_BODY,
  encoding: AddressEncoding = 'utf8',
): Segments {
  const length = envelopeBytes(envelope, encoding);
  const tail = bodyPart(body, end, coding);
  const head = Buffer.allocUnsafe(HEADER_BYTES + length);
  header(head, types.message, tail.flags, seq, length + tail.length);
  head[12] = envelope.flags;
  head[13] = 0;
  head.writeUInt16BE(envelope.recipients.length, 14);
  let at = writeContext(head, str16(head, 16, envelope.sender, encoding), envelope.context);
  for (const { address, context } of envelope.recipients)
    at = writeContext(head, str16(head, at, address, encoding), context);
  return [head, ...tail.views];
}

/** More of the body of the message that was begun last. */
export function bodyFrame(seq: number, body: Segments, end: boolean, coding: BodyCoding = PLAIN_BODY): Segments {
  const tail = bodyPart(body, end, coding);
  const head = Buffer.allocUnsafe(HEADER_BYTES);
  header(head, types.body, tail.flags, seq, tail.length);
  return [head, ...tail.views];
}

function bodyPart(
  body: Segments,
  end: boolean,
  { deflate, crc }: BodyCoding,
): { readonly flags: number; readonly length: number; readonly views: Segments } {
  const views = deflate ? [deflateRawSync(Buffer.concat(body as Uint8Array[]))] : body;
  const flags = (end ? END : 0) | (deflate ? DEFLATED : 0);
  if (!end || crc === undefined) return { flags, length: bytesIn(views), views };
  const sum = Buffer.allocUnsafe(4);
  sum.writeUInt32BE(crc >>> 0, 0);
  return { flags, length: bytesIn(views) + 4, views: [...views, sum] };
}

/** The sum of a body that is all there. */
export function crcOf(body: Segments, from = 0): number {
  let crc = from;
  for (const view of body) crc = crc32(view, crc);
  return crc;
}
