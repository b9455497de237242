import { crc32 } from 'node:zlib';
import type { Source } from './hold.ts';
import {
  HEAD_BYTES,
  type Head,
  headIsWhole,
  headTotal,
  INDEX,
  isNewerFormat,
  readHead,
  recordMark,
  SEAL,
  saltAt,
} from './record.ts';
import { MASK } from './skeleton.ts';

const WINDOW_BYTES = 262_144;

/** One record: its meta part is a view that stays good. */
export interface Found {
  readonly offset: number;
  readonly head: Head;
  readonly meta: Buffer;
  /** Only with `bodies: 'read'`. */
  readonly body: Buffer | undefined;
}

/** Bytes that are no whole record. With `tail` nothing whole stands behind them. */
export interface Broken {
  readonly from: number;
  readonly to: number;
  readonly tail: boolean;
}

/** What a segment holds, window by window, in order. */
export interface Window {
  readonly records: readonly Found[];
  readonly broken: readonly Broken[];
  /** Records whose head is whole and whose body is not: they are among the broken bytes of this or a later window. */
  readonly spoiled: readonly Found[];
}

/**
 * What all records of a segment begin with, from its first, its second, or its last.
 *
 * @returns undefined: no segment of ours; `newer`: one of a format that this version does not know
 */
export async function findMark(source: Source, size: number): Promise<Buffer | 'newer' | undefined> {
  const start = asBuffer(await source.read(0, Math.min(size, WINDOW_BYTES)));
  if (isNewerFormat(start)) return 'newer';
  let salt = saltAt(start, 0) ?? saltAt(start, HEAD_BYTES);
  if (salt === undefined && size >= HEAD_BYTES)
    salt = saltAt(asBuffer(await source.read(size - HEAD_BYTES, HEAD_BYTES)), 0);
  return salt && recordMark(salt);
}

/** Records of an index that are handed out at a time: objects for a whole segment would all live until its end. */
const INDEX_WINDOW = 256;
/** Records of an index that are checked in one turn. */
const INDEX_TURN = 4096;

/** The index of a sealed segment, found to be whole: all heads and meta parts, without the bodies between them. */
export class SegmentIndex {
  readonly #bytes: Buffer;
  readonly #mark: Buffer;

  constructor(bytes: Buffer, mark: Buffer) {
    this.#bytes = bytes;
    this.#mark = mark;
  }

  *windows(): IterableIterator<readonly Found[]> {
    let found: Found[] = [];
    let offset = 0;
    for (let from = HEAD_BYTES; from < this.#bytes.length; ) {
      const head = readHead(this.#bytes, from, this.#mark);
      if (head === undefined) throw new Error('an index that was found whole is not');
      const to = from + HEAD_BYTES + head.metaLength;
      found.push({ offset, head, meta: this.#bytes.subarray(from + HEAD_BYTES, to), body: undefined });
      offset += headTotal(head);
      from = to;
      if (found.length < INDEX_WINDOW) continue;
      yield found;
      found = [];
    }
    if (found.length > 0) yield found;
  }
}

/**
 * @param turn  awaited now and then: an index is of tens of thousands of records
 * @returns undefined when the segment was never sealed, or the index is damaged
 */
export async function readIndex(
  source: Source,
  size: number,
  mark: Buffer,
  turn?: () => Promise<void>,
): Promise<SegmentIndex | undefined> {
  if (size < 2 * HEAD_BYTES) return undefined;
  const seal = asBuffer(await source.read(size - HEAD_BYTES, HEAD_BYTES));
  const last = readHead(seal, 0, mark);
  if (last?.type !== SEAL || !headIsWhole(seal, 0, last)) return undefined;
  const at = last.ordinal;
  if (at + 2 * HEAD_BYTES > size) return undefined;
  const bytes = asBuffer(await source.read(at, size - HEAD_BYTES - at));
  const head = readHead(bytes, 0, mark);
  if (head?.type !== INDEX || !headIsWhole(bytes, 0, head) || headTotal(head) !== bytes.length) return undefined;
  if (crc32(bytes.subarray(HEAD_BYTES)) !== head.bodyCrc) return undefined;
  let offset = 0;
  let count = 0;
  for (let from = HEAD_BYTES; from < bytes.length; ) {
    bytes[from]! ^= MASK;
    const each = from + HEAD_BYTES <= bytes.length ? readHead(bytes, from, mark) : undefined;
    const to = each ? from + HEAD_BYTES + each.metaLength : 0;
    // The sum over all of it was right: the sums of the single records need not be asked as well.
    if (!each || to > bytes.length) return undefined;
    offset += headTotal(each);
    from = to;
    if (turn !== undefined && ++count % INDEX_TURN === 0) await turn();
  }
  return offset === at ? new SegmentIndex(bytes, mark) : undefined;
}

/**
 * All records, from the index or, without one, from the segment itself.
 *
 * @param broken gets what is no whole record; an index knows of none
 * @param turn   awaited between windows that come without reading: others have theirs
 */
export async function* recordsOf(
  source: Source,
  size: number,
  mark: Buffer,
  bodies: 'skip' | 'check',
  broken: Broken[],
  turn?: () => Promise<void>,
): AsyncGenerator<readonly Found[]> {
  const index = await readIndex(source, size, mark, turn);
  if (index) {
    for (const window of index.windows()) {
      yield window;
      if (turn !== undefined) await turn();
    }
    return;
  }
  for await (const window of scan(source, size, mark, bodies)) {
    broken.push(...window.broken);
    yield window.records;
  }
}

/**
 * Reads records one behind the other. A bad sum ends nothing: reading resumes at the next place that holds a whole
 * head with the salt of this segment.
 *
 * @param bodies `skip`: their sums are not checked; `check`: a body with a bad sum makes its record a broken one;
 *   `read`: checked and handed out
 */
export async function* scan(
  source: Source,
  size: number,
  mark: Buffer,
  bodies: 'skip' | 'check' | 'read',
): AsyncGenerator<Window> {
  let at = 0;
  /** Where bytes began that are not understood; -1: all is well. */
  let brokenFrom = -1;
  let window: Buffer = Buffer.alloc(0);
  let base = 0;
  while (at < size) {
    const records: Found[] = [];
    const broken: Broken[] = [];
    const spoiled: Found[] = [];
    let need = HEAD_BYTES;
    while (at < size) {
      const from = at - base;
      if (at + HEAD_BYTES > size) {
        if (brokenFrom < 0) brokenFrom = at;
        at = size;
        break;
      }
      if (from + HEAD_BYTES > window.length) break;
      const head = readHead(window, from, mark);
      const total = head ? headTotal(head) : 0;
      if (!head || at + total > size) {
        if (brokenFrom < 0) brokenFrom = at;
        at = base + nextMark(window, from + 1, mark);
        continue;
      }
      need = bodies === 'skip' ? HEAD_BYTES + head.metaLength : total;
      if (from + need > window.length) break;
      need = HEAD_BYTES;
      if (!headIsWhole(window, from, head)) {
        if (brokenFrom < 0) brokenFrom = at;
        at = base + nextMark(window, from + 1, mark);
        continue;
      }
      const bodyAt = from + HEAD_BYTES + head.metaLength;
      const meta = window.subarray(from + HEAD_BYTES, bodyAt);
      const body = bodies === 'skip' ? undefined : window.subarray(bodyAt, from + total);
      if (body && crc32(body) !== head.bodyCrc) {
        // Its head is whole, so its length is right: whatever stands in the body is never looked at.
        if (brokenFrom < 0) brokenFrom = at;
        spoiled.push({ offset: at, head, meta, body: undefined });
        at += total;
        continue;
      }
      if (brokenFrom >= 0) {
        broken.push({ from: brokenFrom, to: at, tail: false });
        brokenFrom = -1;
      }
      records.push({
        offset: at,
        head,
        meta,
        body: bodies === 'read' ? body : undefined,
      });
      at += total;
    }
    if (at >= size && brokenFrom >= 0) broken.push({ from: brokenFrom, to: size, tail: true });
    if (records.length > 0 || broken.length > 0 || spoiled.length > 0) yield { records, broken, spoiled };
    if (at >= size) return;
    base = at;
    window = asBuffer(await source.read(at, Math.min(Math.max(WINDOW_BYTES, need), size - at)));
    if (window.length < Math.min(need, size - at))
      throw new Error(`${source.path} has become shorter while it was read`);
  }
}

/** @returns where in the window the mark may stand next: a beginning of it at the end counts */
function nextMark(window: Buffer, from: number, mark: Buffer): number {
  const at = window.indexOf(mark, from);
  return at === -1 ? Math.max(from, window.length - mark.length + 1) : at;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
