import { crc32 } from 'node:zlib';
import type { BodyTraits, Envelope } from '../message/index.ts';

/*
 * The format of a segment: records back to back, each a head, a meta part and a body. All numbers are little endian.
 *
 *    0  4  magic
 *    4  8  salt of the segment, drawn by chance: a body that holds the bytes of a record of ours never passes for one,
 *          wherever reading resumes, because nobody outside knows the salt
 *   12  1  format version
 *   13  1  type
 *   14  2  flags
 *   16  4  origin   } together the number of a reception for all its life: the segment in which it was first written,
 *   20  4  ordinal  } and its place among the receptions of that segment
 *   24  4  length of the meta part
 *   28  4  length of the body
 *   32  4  crc32 of the body
 *   36  4  crc32 of the 36 bytes before and of the meta part
 *
 * Bodies have a sum of their own so that recovery need not read them.
 */

export const HEAD_BYTES = 40;
export const SALT_BYTES = 8;
export const VERSION = 1;
const MAGIC = 0xa54d5049;

/** The first record of each segment; carries nothing but its head. */
export const OPEN = 1;
/** Meta: see `readReception`. Body: the body as received, or its front part when the rest has a file of its own. */
export const RECEPTION = 2;
/** Meta: the bytes of `Spool.amend`. */
export const STATE = 3;
/** Meta: holder (u32, the segment in which the reception stood), then the finished recipients (u32 each); none: all. */
export const DONE = 4;
/** `origin` names a segment, `ordinal` an offset in it: what stands from there on was refused and never happened. */
export const ABORT = 5;
/** Body: the segment without its bodies, that is all heads (their first byte masked) with their meta parts in order. */
export const INDEX = 6;
/** The last record of a sealed segment. `ordinal` is the offset of the index record. */
export const SEAL = 7;

export const DOTS = 1;
export const LONE = 2;
/** The body goes on in a file of its own. */
export const LARGE = 4;
/** The same record finishes recipients of another reception. */
export const REPLACES = 8;
/** Older versions never set it, and do not look at it. */
export const EIGHT_BIT = 16;

export interface Head {
  readonly type: number;
  readonly flags: number;
  readonly origin: number;
  readonly ordinal: number;
  readonly metaLength: number;
  readonly bodyLength: number;
  readonly bodyCrc: number;
}

/** A body, or most of one, in `large/<run>-<serial>.eml`. */
export interface LargeReference {
  readonly run: number;
  readonly serial: number;
  readonly length: number;
  readonly crc: number;
}

/** Recipients of a reception that are finished. */
export interface DoneList {
  readonly origin: number;
  readonly ordinal: number;
  /** The segment in which the reception stood at that time: this record means something as long as that one exists. */
  readonly holder: number;
  /** undefined: all. */
  readonly recipients: readonly number[] | undefined;
}

export interface ReceptionMeta {
  readonly recipients: number;
  readonly large: LargeReference | undefined;
  readonly replaces: DoneList | undefined;
  /** Where the envelope begins, counted from the start of the meta part. */
  readonly envelopeAt: number;
}

export function headTotal(head: Head): number {
  return HEAD_BYTES + head.metaLength + head.bodyLength;
}

/** The twelve bytes every record of a segment begins with. */
export function recordMark(salt: Uint8Array): Buffer {
  const mark = Buffer.allocUnsafe(4 + SALT_BYTES);
  mark.writeUInt32LE(MAGIC, 0);
  mark.set(salt, 4);
  return mark;
}

/** @returns the salt of the record at `at` if its head is whole; used before the salt of a segment is known */
export function saltAt(bytes: Buffer, at: number): Buffer | undefined {
  if (bytes.length < at + HEAD_BYTES || bytes.readUInt32LE(at) !== MAGIC) return undefined;
  const salt = bytes.subarray(at + 4, at + 4 + SALT_BYTES);
  const head = readHead(bytes, at, recordMark(salt));
  return head && head.metaLength <= bytes.length - at - HEAD_BYTES && headIsWhole(bytes, at, head)
    ? Buffer.from(salt)
    : undefined;
}

/**
 * Whether a file that begins so was written by a format of ours that this version does not know: such a file is left
 * alone, never called damaged. For this the first record of a segment keeps its layout in every format.
 */
export function isNewerFormat(bytes: Buffer): boolean {
  if (bytes.length < HEAD_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes[12]! <= VERSION || bytes[13] !== OPEN)
    return false;
  return crc32(bytes.subarray(0, HEAD_BYTES - 4)) === bytes.readUInt32LE(HEAD_BYTES - 4);
}

/** The head at `at`, its sum not yet checked. `bytes` must hold HEAD_BYTES from there. */
export function readHead(bytes: Buffer, at: number, mark: Buffer): Head | undefined {
  if (mark.compare(bytes, at, at + mark.length) !== 0 || bytes[at + 12] !== VERSION) return undefined;
  const type = bytes[at + 13]!;
  if (type < OPEN || type > SEAL) return undefined;
  return {
    type,
    flags: bytes.readUInt16LE(at + 14),
    origin: bytes.readUInt32LE(at + 16),
    ordinal: bytes.readUInt32LE(at + 20),
    metaLength: bytes.readUInt32LE(at + 24),
    bodyLength: bytes.readUInt32LE(at + 28),
    bodyCrc: bytes.readUInt32LE(at + 32),
  };
}

/** Checks the sum over head and meta part. `bytes` must hold both. */
export function headIsWhole(bytes: Buffer, at: number, head: Head): boolean {
  const meta = at + HEAD_BYTES;
  const sum = crc32(bytes.subarray(meta, meta + head.metaLength), crc32(bytes.subarray(at, at + HEAD_BYTES - 4)));
  return sum === bytes.readUInt32LE(at + HEAD_BYTES - 4);
}

/** Fills in the head in front of a meta part that stands at `at + HEAD_BYTES` already. */
export function writeHead(bytes: Buffer, at: number, mark: Buffer, head: Head): void {
  bytes.set(mark, at);
  bytes[at + 12] = VERSION;
  bytes[at + 13] = head.type;
  bytes.writeUInt16LE(head.flags, at + 14);
  bytes.writeUInt32LE(head.origin, at + 16);
  bytes.writeUInt32LE(head.ordinal, at + 20);
  bytes.writeUInt32LE(head.metaLength, at + 24);
  bytes.writeUInt32LE(head.bodyLength, at + 28);
  bytes.writeUInt32LE(head.bodyCrc, at + 32);
  const meta = at + HEAD_BYTES;
  const sum = crc32(bytes.subarray(meta, meta + head.metaLength), crc32(bytes.subarray(at, at + HEAD_BYTES - 4)));
  bytes.writeUInt32LE(sum, at + HEAD_BYTES - 4);
}

/** Most bytes that `writeReceptionMeta` can need. */
export function receptionMetaRoom(json: string, replaces: DoneList | undefined): number {
  // A UTF-16 code unit is at most three bytes of UTF-8.
  return 4 + 20 + (replaces ? 16 + 4 * (replaces.recipients?.length ?? 0) : 0) + json.length * 3;
}

/**
 * The meta part of a reception: recipients (u32); with LARGE run, serial (u32 each), length (u64), crc (u32); with
 * REPLACES origin, ordinal, holder, count, recipients (u32 each); then the envelope as JSON.
 *
 * @returns its length
 */
export function writeReceptionMeta(
  bytes: Buffer,
  at: number,
  recipients: number,
  large: LargeReference | undefined,
  replaces: DoneList | undefined,
  json: string,
): number {
  let to = bytes.writeUInt32LE(recipients, at);
  if (large) {
    to = bytes.writeUInt32LE(large.run, to);
    to = bytes.writeUInt32LE(large.serial, to);
    to = bytes.writeBigUInt64LE(BigInt(large.length), to);
    to = bytes.writeUInt32LE(large.crc, to);
  }
  if (replaces) {
    to = bytes.writeUInt32LE(replaces.origin, to);
    to = bytes.writeUInt32LE(replaces.ordinal, to);
    to = bytes.writeUInt32LE(replaces.holder, to);
    to = bytes.writeUInt32LE(replaces.recipients?.length ?? 0, to);
    for (const recipient of replaces.recipients ?? []) to = bytes.writeUInt32LE(recipient, to);
  }
  return to + bytes.write(json, to, 'utf8') - at;
}

/** @returns undefined when the lengths contradict each other, which a right sum makes a bug and not damage */
export function readReception(meta: Buffer, flags: number): ReceptionMeta | undefined {
  const withLarge = (flags & LARGE) !== 0;
  let at = 4 + (withLarge ? 20 : 0);
  if (meta.length < at + ((flags & REPLACES) !== 0 ? 16 : 0)) return undefined;
  const large = withLarge
    ? {
        run: meta.readUInt32LE(4),
        serial: meta.readUInt32LE(8),
        length: Number(meta.readBigUInt64LE(12)),
        crc: meta.readUInt32LE(20),
      }
    : undefined;
  let replaces: DoneList | undefined;
  if ((flags & REPLACES) !== 0) {
    const count = meta.readUInt32LE(at + 12);
    if (meta.length < at + 16 + 4 * count) return undefined;
    replaces = {
      origin: meta.readUInt32LE(at),
      ordinal: meta.readUInt32LE(at + 4),
      holder: meta.readUInt32LE(at + 8),
      recipients: readNumbers(meta, at + 16, count),
    };
    at += 16 + 4 * count;
  }
  return { recipients: meta.readUInt32LE(0), large, replaces, envelopeAt: at };
}

/** Bytes of the meta part of a DONE record. */
export function doneMetaLength(done: DoneList): number {
  return 4 + 4 * (done.recipients?.length ?? 0);
}

export function writeDoneMeta(bytes: Buffer, at: number, done: DoneList): void {
  let to = bytes.writeUInt32LE(done.holder, at);
  for (const recipient of done.recipients ?? []) to = bytes.writeUInt32LE(recipient, to);
}

export function readDone(meta: Buffer, head: Head): DoneList | undefined {
  if (meta.length < 4) return undefined;
  return {
    origin: head.origin,
    ordinal: head.ordinal,
    holder: meta.readUInt32LE(0),
    recipients: readNumbers(meta, 4, (meta.length - 4) >>> 2),
  };
}

/** The envelope as it was committed: what a right sum guards is what we wrote. */
export function readEnvelope(meta: Buffer, at: number): Envelope {
  return JSON.parse(meta.toString('utf8', at)) as Envelope;
}

export function flagsOf(traits: BodyTraits): number {
  return (traits.dots ? DOTS : 0) | (traits.lone ? LONE : 0) | (traits.eightBit === true ? EIGHT_BIT : 0);
}

const PLAIN: BodyTraits = { dots: false, lone: false };

export function traitsOf(flags: number): BodyTraits {
  if ((flags & (DOTS | LONE | EIGHT_BIT)) === 0) return PLAIN;
  const traits = { dots: (flags & DOTS) !== 0, lone: (flags & LONE) !== 0 };
  return (flags & EIGHT_BIT) === 0 ? traits : { ...traits, eightBit: true };
}

function readNumbers(bytes: Buffer, at: number, count: number): readonly number[] | undefined {
  if (count === 0) return undefined;
  const numbers: number[] = [];
  for (let i = 0; i < count; i++) numbers.push(bytes.readUInt32LE(at + 4 * i));
  return numbers;
}
