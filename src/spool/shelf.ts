import { crc32 } from 'node:zlib';
import type { Clock, Disk, DiskFile } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import type { Source } from './hold.ts';
import { HEAD_BYTES, INDEX, recordMark, SEAL, writeHead } from './record.ts';
import { Segment } from './segment.ts';
import { Skeleton } from './skeleton.ts';

export const SEGMENT_NAME = /^(\d{10})\.seg$/;
/** Ordinals of one segment: more than its smallest records could fill. */
const MOST_ORDINALS = 2 ** 22;
/** Offsets are of 32 bits. Reached only when no file can be made for very long. */
const MOST_SEGMENT_BYTES = 2 ** 31;
/** Segments kept open for reading when nobody reads. */
const IDLE_READERS = 64;

export function segmentPath(directory: string, sequence: number): string {
  return `${directory}/${String(sequence).padStart(10, '0')}.seg`;
}

export interface ShelfParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** `<spoolbase>/L<loop>` */
  readonly directory: string;
  readonly mode: number;
  readonly segmentBytes: number;
  /** Milliseconds after its end before a segment may be compacted: most mail is gone by itself soon. */
  readonly settleMillis: number;
  readonly sync: () => boolean;
  readonly salt: (sequence: number) => Uint8Array;
  readonly nextSequence: number;
}

/** The segments of one directory: the head that is written, one prepared behind it, and those that are only read. */
export class Shelf {
  readonly #parts: ShelfParts;
  readonly #segments = new Map<number, Segment>();
  #nextSequence: number;
  #head: Segment | undefined;
  #ahead: Segment | undefined;
  #preparing: Promise<void> | undefined;
  readonly #idleReaders = new Set<Segment>();
  #reaping: Promise<void> | undefined;
  #reapAgain = false;
  /** Removed, but their removal is not durable yet. */
  #removed: Segment[] = [];
  /** Nothing is deleted or moved before recovery has read everything. */
  settled = false;
  /** Told of segments that have become sparse. */
  onSparse: (() => void) | undefined;

  constructor(parts: ShelfParts) {
    this.#parts = parts;
    this.#nextSequence = parts.nextSequence;
  }

  get directory(): string {
    return this.#parts.directory;
  }

  get(sequence: number): Segment | undefined {
    return this.#segments.get(sequence);
  }

  all(): Iterable<Segment> {
    return this.#segments.values();
  }

  get count(): number {
    return this.#segments.size;
  }

  /** A segment of an earlier process: only read. */
  adopt(segment: Segment): void {
    segment.open = false;
    segment.settledAt = this.#parts.clock.now();
    this.#segments.set(segment.sequence, segment);
  }

  path(sequence: number): string {
    return segmentPath(this.#parts.directory, sequence);
  }

  /** Makes the first head. @throws DiskError */
  async start(): Promise<void> {
    this.#head = await this.#create();
  }

  /** The segment for the next batch; a promise only when there is none. @throws DiskError */
  ready(): Segment | Promise<Segment> {
    const head = this.#head;
    if (head === undefined) return this.#replaceHead();
    if (head.size * 2 > this.#parts.segmentBytes) this.#prepare();
    if (head.size < this.#parts.segmentBytes && head.nextOrdinal < MOST_ORDINALS) return head;
    if (this.#ahead !== undefined) return this.#turnOver(head);
    // The next one is not there yet: rather a long segment than a batch that waits; but not for ever.
    return head.size < this.#parts.segmentBytes * 2 ? head : this.#waitForNext(head);
  }

  async #replaceHead(): Promise<Segment> {
    await this.#preparing;
    const next = this.#ahead ?? (await this.#create());
    this.#ahead = undefined;
    this.#head = next;
    return next;
  }

  async #waitForNext(head: Segment): Promise<Segment> {
    await this.#preparing;
    if (this.#ahead !== undefined) return this.#turnOver(head);
    if (head.size < MOST_SEGMENT_BYTES && head.nextOrdinal < MOST_ORDINALS) return head;
    this.#ahead = await this.#create();
    return this.#turnOver(head);
  }

  #turnOver(head: Segment): Segment {
    const next = this.#ahead!;
    this.#ahead = undefined;
    this.#head = next;
    this.#seal(head);
    return next;
  }

  #prepare(): void {
    if (this.#ahead !== undefined || this.#preparing !== undefined) return;
    this.#preparing = this.#create()
      .then(
        (segment) => {
          this.#ahead = segment;
        },
        (cause: unknown) => {
          this.#parts.alarm.repeat(
            'prepare',
            'ERROR',
            `cannot prepare the next segment in ${this.#parts.directory}: ${because(cause)}`,
          );
        },
      )
      .finally(() => {
        this.#preparing = undefined;
      });
  }

  async #create(): Promise<Segment> {
    const { disk, directory, mode, segmentBytes } = this.#parts;
    const sequence = this.#nextSequence++;
    const path = this.path(sequence);
    const file = await disk.open(path, 'create', mode);
    try {
      // Even with force_fsync off: it may be switched on before this segment ends, and what is synced must not lose its name.
      await disk.syncDirectory(directory);
    } catch (cause) {
      // It is empty; should it stay, the next start clears it away.
      await file.close().catch(() => undefined);
      await disk.remove(path).catch(() => undefined);
      throw cause;
    }
    const segment = new Segment(sequence, path, recordMark(this.#parts.salt(sequence)), new Skeleton(segmentBytes / 2));
    segment.file = file;
    this.#segments.set(sequence, segment);
    return segment;
  }

  /** Nobody knows what is in it behind `size`: never written again. */
  poison(segment: Segment): void {
    if (this.#head === segment) this.#head = undefined;
    segment.skeleton = undefined;
    this.#close(segment);
  }

  /** Writes the index, beside the batches that go to the next segment already. */
  #seal(segment: Segment): void {
    segment.closing = this.#writeIndex(segment).finally(() => {
      segment.closing = undefined;
      this.#close(segment);
    });
    segment.settledAt = this.#parts.clock.now() + this.#parts.settleMillis;
    segment.open = false;
  }

  async #writeIndex(segment: Segment): Promise<void> {
    const heads = segment.skeleton?.take();
    segment.skeleton = undefined;
    if (heads === undefined || segment.size === 0) return;
    let length = 0;
    let sum = 0;
    for (const block of heads) {
      length += block.length;
      sum = crc32(block, sum);
    }
    const index = Buffer.allocUnsafe(HEAD_BYTES);
    writeHead(index, 0, segment.mark!, {
      type: INDEX,
      flags: 0,
      origin: segment.sequence,
      ordinal: 0,
      metaLength: 0,
      bodyLength: length,
      bodyCrc: sum,
    });
    const seal = Buffer.allocUnsafe(HEAD_BYTES);
    writeHead(seal, 0, segment.mark!, {
      type: SEAL,
      flags: 0,
      origin: segment.sequence,
      ordinal: segment.size,
      metaLength: 0,
      bodyLength: 0,
      bodyCrc: 0,
    });
    try {
      await segment.file!.write([index, ...heads, seal], segment.size);
      if (this.#parts.sync()) await segment.file!.sync();
      segment.size += length + 2 * HEAD_BYTES;
    } catch (cause) {
      // All that counts was synced before: without its index the segment only takes longer to recover.
      this.#parts.alarm.repeat('seal', 'WARNING', `cannot write the index of ${segment.path}: ${because(cause)}`);
    }
  }

  #close(segment: Segment): void {
    segment.open = false;
    segment.settledAt = this.#parts.clock.now() + this.#parts.settleMillis;
    const file = segment.file;
    segment.file = undefined;
    if (file) segment.closing = this.#closeFile(file, segment.path).finally(() => (segment.closing = undefined));
    this.released(segment);
  }

  async #closeFile(file: DiskFile, path: string): Promise<void> {
    try {
      await file.close();
    } catch (cause) {
      this.#parts.alarm.repeat('close', 'WARNING', `cannot close ${path}: ${because(cause)}`);
    }
  }

  /** `segment` says something about another one, which must be gone before it. */
  owe(segment: Segment, sequence: number, bytes: number): void {
    if (this.#segments.has(sequence)) segment.owe(sequence, bytes);
  }

  /** Something in it has gone out of use. */
  released(segment: Segment): void {
    if (!this.settled) return;
    if (segment.dead) this.reap();
    else if (segment.sparse) this.onSparse?.();
  }

  pin(segment: Segment): void {
    segment.pins++;
    this.#idleReaders.delete(segment);
  }

  unpin(segment: Segment): void {
    segment.pins--;
    if (segment.pins > 0) return;
    if (segment.reader !== undefined) {
      this.#idleReaders.add(segment);
      if (this.#idleReaders.size > IDLE_READERS) {
        const [oldest] = this.#idleReaders;
        void this.#closeReader(oldest!);
      }
    }
    this.released(segment);
  }

  /** Reads of a pinned segment. */
  source(segment: Segment): Source {
    const { disk } = this.#parts;
    return {
      path: segment.path,
      async read(at: number, length: number): Promise<Uint8Array> {
        segment.reader ??= disk.open(segment.path, 'read').catch((cause: unknown) => {
          segment.reader = undefined;
          throw cause;
        });
        return (await segment.reader).read(at, length);
      },
    };
  }

  async #closeReader(segment: Segment): Promise<void> {
    this.#idleReaders.delete(segment);
    const reader = segment.reader;
    segment.reader = undefined;
    const file = await reader?.catch(() => undefined);
    if (file) await this.#closeFile(file, segment.path);
  }

  /** Deletes what is dead; what that sets free too. */
  reap(): void {
    if (!this.settled) return;
    this.#reapAgain = true;
    this.#reaping ??= this.#reap().finally(() => {
      this.#reaping = undefined;
      if (this.#reapAgain) this.reap();
    });
  }

  /** Deletions under way have ended. */
  async reaped(): Promise<void> {
    while (this.#reaping) await this.#reaping;
  }

  async #reap(): Promise<void> {
    const { disk, directory, alarm } = this.#parts;
    while (this.#reapAgain) {
      this.#reapAgain = false;
      for (const segment of this.#segments.values()) {
        if (!segment.dead || segment.removed) continue;
        segment.removed = true;
        while (segment.closing) await segment.closing;
        await this.#closeReader(segment);
        try {
          await disk.remove(segment.path);
          this.#removed.push(segment);
        } catch (cause) {
          // It stays on the shelf, and all that speaks about it stays too: harmless but for its room.
          alarm.tell('ERROR', `cannot delete ${segment.path}: ${because(cause)}`);
        }
      }
      if (this.#removed.length === 0) continue;
      try {
        // Even with force_fsync off: only when these are gone for good may those go that speak about them.
        await disk.syncDirectory(directory);
      } catch (cause) {
        alarm.repeat('reap', 'ERROR', `cannot sync ${directory}: ${because(cause)}`);
        return;
      }
      for (const gone of this.#removed) this.#segments.delete(gone.sequence);
      for (const segment of this.#segments.values()) {
        for (const gone of this.#removed) segment.settle(gone.sequence);
        if (segment.dead && !segment.removed) this.#reapAgain = true;
        else if (segment.sparse) this.onSparse?.();
      }
      this.#removed = [];
    }
  }

  /** Seals the head and leaves nothing empty behind. */
  async close(): Promise<void> {
    await this.#preparing;
    const head = this.#head;
    this.#head = undefined;
    const unused = [this.#ahead, head?.size === 0 ? head : undefined].filter((segment) => segment !== undefined);
    this.#ahead = undefined;
    if (head && head.size > 0) this.#seal(head);
    for (const segment of unused) {
      this.#segments.delete(segment.sequence);
      if (segment.file) await this.#closeFile(segment.file, segment.path);
      await this.#parts.disk.remove(segment.path).catch(() => undefined);
    }
    for (const segment of this.#segments.values()) while (segment.closing) await segment.closing;
    this.reap();
    await this.reaped();
    this.settled = false;
    for (const segment of this.#segments.values()) await this.#closeReader(segment);
  }
}
