import type { DiskFile } from '../world/index.ts';
import type { Skeleton } from './skeleton.ts';

/**
 * What memory knows of one segment file.
 *
 * `owes` keeps deletions in order: a done or abort record means something as long as the segment it speaks about
 * exists. `movedFrom` likewise: a moved reception must not lose its new home, of which its done record speaks, before
 * the old one is gone for good. So a segment is deleted after all that it owes. Debts point to older segments only:
 * there is no circle.
 */
export class Segment {
  readonly sequence: number;
  readonly path: string;
  /** What all its records begin with; undefined: it holds none. */
  mark: Buffer | undefined;
  /** Bytes that count: all of them, or those before a batch that failed. */
  size = 0;
  /** Only the head and the one prepared behind it are open for writing. */
  file: DiskFile | undefined;
  open = true;
  nextOrdinal = 0;
  /** Heads written so far, until the segment is sealed. */
  skeleton: Skeleton | undefined;
  /** Records of live receptions and current states. */
  liveRecords = 0;
  liveBytes = 0;
  /** Segment → bytes of records here that speak about it. */
  readonly owes = new Map<number, number>();
  owedBytes = 0;
  /** Segments from which compaction has moved records here, until they are gone. */
  readonly movedFrom = new Set<number>();
  /** Readers that stand in it: it is not deleted under them. */
  pins = 0;
  reader: Promise<DiskFile> | undefined;
  /** Its index is being written, or its file closed. */
  closing: Promise<void> | undefined;
  /** Its file is deleted, or cannot be. */
  removed = false;
  /** Clock time from which compaction may look at it. */
  settledAt = 0;
  /** Holds records that cannot be read: never compacted. */
  damaged = false;
  /** Could not be read at all, or is of a newer format: left alone, never deleted. */
  foreign = false;

  constructor(sequence: number, path: string, mark: Buffer | undefined, skeleton: Skeleton | undefined) {
    this.sequence = sequence;
    this.path = path;
    this.mark = mark;
    this.skeleton = skeleton;
  }

  keep(bytes: number): void {
    this.liveRecords++;
    this.liveBytes += bytes;
  }

  drop(bytes: number): void {
    this.liveRecords--;
    this.liveBytes -= bytes;
  }

  owe(sequence: number, bytes: number): void {
    if (sequence === this.sequence) return;
    this.owes.set(sequence, (this.owes.get(sequence) ?? 0) + bytes);
    this.owedBytes += bytes;
  }

  /** That segment is gone for good: what we said about it means nothing any more. */
  settle(sequence: number): void {
    this.movedFrom.delete(sequence);
    const bytes = this.owes.get(sequence);
    if (bytes === undefined) return;
    this.owes.delete(sequence);
    this.owedBytes -= bytes;
  }

  get dead(): boolean {
    return !this.open && !this.foreign && this.liveRecords === 0 && this.#settled && this.pins === 0;
  }

  /** Nothing has to be gone before it. */
  get #settled(): boolean {
    return this.owes.size === 0 && this.movedFrom.size === 0;
  }

  /** Less than a quarter of it is of use, and that can be moved. */
  get sparse(): boolean {
    if (this.open || this.damaged || this.foreign || this.movedFrom.size > 0) return false;
    if (this.liveRecords === 0 && this.owes.size === 0) return false;
    return (this.liveBytes + this.owedBytes) * 4 < this.size;
  }
}
