import type { Segments } from '../../src/base/index.ts';
import type { Kind } from './points.ts';

/*
 * What the spool writes, seen from outside: the head of a record is 40 bytes, little endian. This is a second reading of
 * the format on purpose; a change of it is noticed here by the version and must be followed.
 */
const HEAD = 40;
const VERSION_AT = 12;
const VERSION = 1;
const TYPE_AT = 13;
const FLAGS_AT = 14;
const ORIGIN_AT = 16;
const META_AT = 24;
const BODY_AT = 28;
const SUM_AT = 36;
const RECEPTION = 2;
const STATE = 3;
const DONE = 4;
const INDEX = 6;
/** The record also finishes another one: a bounce takes the place of what it speaks about. */
const REPLACES = 8;

/** What a write to a segment holds. */
export interface Written {
  readonly kinds: ReadonlySet<Kind>;
  /** It ends the segment, and is no batch. */
  readonly index: boolean;
}

/** @param sequence  of the segment: a reception that was first written elsewhere has been moved here by compaction */
export function recordsIn(views: Segments, sequence: number): Written {
  const kinds = new Set<Kind>();
  for (const { bytes, at } of heads(views)) {
    if (bytes[at + TYPE_AT] === INDEX) return { kinds, index: true };
    const kind = kindAt(bytes, at, sequence);
    if (kind !== undefined) kinds.add(kind);
  }
  return { kinds, index: false };
}

/** @returns the same bytes with records of a kind that nobody will believe: their sums are wrong */
export function spoiled(views: Segments, sequence: number, kind: Kind): Segments {
  const whole = Buffer.concat(views);
  for (const { at } of heads([whole])) {
    if (kindAt(whole, at, sequence) === kind) whole.writeUInt32LE(~whole.readUInt32LE(at + SUM_AT) >>> 0, at + SUM_AT);
  }
  return [whole];
}

function kindAt(bytes: Buffer, at: number, sequence: number): Kind | undefined {
  switch (bytes[at + TYPE_AT]) {
    case STATE:
      return 'retry state';
    case DONE:
      return 'done';
    case RECEPTION:
      if (bytes.readUInt32LE(at + ORIGIN_AT) !== sequence) return 'compaction';
      return (bytes.readUInt16LE(at + FLAGS_AT) & REPLACES) === 0 ? 'reception' : 'bounce';
    default:
      return undefined;
  }
}

/** Where records begin. Head and meta part stand in one view, always; a body may go through several. */
function* heads(views: Segments): Generator<{ readonly bytes: Buffer; readonly at: number }> {
  let at = 0;
  for (const view of views) {
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    while (at < bytes.length) {
      if (at + HEAD > bytes.length || bytes[at + VERSION_AT] !== VERSION)
        throw new Error(`no record of version ${VERSION} at byte ${at} of a view of ${bytes.length}`);
      yield { bytes, at };
      at += HEAD + bytes.readUInt32LE(at + META_AT) + bytes.readUInt32LE(at + BODY_AT);
    }
    at -= bytes.length;
  }
}
