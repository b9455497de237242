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
  let skip = 0;
  for (const view of views) {
    if (skip >= view.length) {
      skip -= view.length;
      continue;
    }
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    let at = skip;
    // Head and meta part stand in one view, always.
    while (at < bytes.length) {
      if (at + HEAD > bytes.length || bytes[at + VERSION_AT] !== VERSION)
        throw new Error(`no record of version ${VERSION} at byte ${at} of a view of ${bytes.length}`);
      const type = bytes[at + TYPE_AT];
      if (type === INDEX) return { kinds, index: true };
      if (type === STATE) kinds.add('retry state');
      if (type === DONE) kinds.add('done');
      if (type === RECEPTION) {
        const moved = bytes.readUInt32LE(at + ORIGIN_AT) !== sequence;
        const bounce = (bytes.readUInt16LE(at + FLAGS_AT) & REPLACES) !== 0;
        kinds.add(moved ? 'compaction' : bounce ? 'bounce' : 'reception');
      }
      at += HEAD + bytes.readUInt32LE(at + META_AT) + bytes.readUInt32LE(at + BODY_AT);
    }
    skip = at - bytes.length;
  }
  return { kinds, index: false };
}
