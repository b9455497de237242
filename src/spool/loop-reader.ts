import { crc32 } from 'node:zlib';
import type { BodyTraits, Envelope } from '../message/index.ts';
import type { Disk } from '../world/index.ts';
import { because } from './alarm.ts';
import { largeName } from './large.ts';
import { Receptions } from './receptions.ts';
import { HEAD_BYTES, type LargeReference, readEnvelope, readReception, traitsOf } from './record.ts';
import { Residency } from './residency.ts';
import { type Broken, type Found, findMark, recordsOf } from './scan.ts';
import { Segment } from './segment.ts';
import { closeAll, type Sheet, type Snapshot, takeSnapshot } from './snapshot.ts';
import { SpoolError } from './spool.ts';
import { Survey } from './survey.ts';

const BATCH = 1000;
const SLICE_BYTES = 65_536;

/** A live reception, as who only reads the spool sees it. */
export interface KeptReception {
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
  /** Indices of the recipients that are finished; some are not. */
  readonly done: readonly number[];
  /** The bytes of `Spool.amend`. */
  readonly state: Uint8Array | undefined;
  /** `<spoolbase>/L<loop>` */
  readonly directory: string;
  /** The segment, and where in it the record begins. */
  readonly segment: string;
  readonly offset: number;
  /** The file that holds the body, or the rest of it behind what the record has. */
  readonly large: string | undefined;
  /** Its bytes, as they are: when they are not those that were written, a SpoolError follows the last of them. */
  body(): AsyncGenerator<Uint8Array>;
}

/** What is not as it should be in one segment. */
export interface Damage {
  /** `L0/0000000003.seg:1234` */
  readonly place: string;
  readonly sequence: number;
  readonly reason: string;
  /** Bytes that are no whole record; undefined: nothing can be said of single records. */
  readonly broken: Broken | undefined;
}

/** The segments of one event loop, read without the lock. */
export class LoopReader implements AsyncDisposable {
  readonly directory: string;
  readonly #disk: Disk;
  readonly #snapshot: Snapshot;
  readonly #segments = new Map<number, Segment>();
  readonly receptions: Receptions;
  readonly survey: Survey;
  readonly damage: Damage[] = [];

  /** @throws SpoolError IMP_SPOOL_READ */
  static async open(disk: Disk, directory: string): Promise<LoopReader> {
    const reader = new LoopReader(disk, directory, await takeSnapshot(disk, directory));
    try {
      await reader.#hearAll();
      return reader;
    } catch (cause) {
      await reader[Symbol.asyncDispose]();
      throw cause;
    }
  }

  private constructor(disk: Disk, directory: string, snapshot: Snapshot) {
    this.directory = directory;
    this.#disk = disk;
    this.#snapshot = snapshot;
    // The books of a spool that is only read: nothing follows from what they say.
    this.receptions = new Receptions(
      { get: (sequence) => this.#segments.get(sequence), released: () => undefined },
      new Residency(0, 0),
      { path: (run, serial) => this.#largePath(run, serial), remove: () => undefined },
    );
    this.survey = new Survey({
      receptions: this.receptions,
      segment: (sequence) => this.#segments.get(sequence),
      repeat: () => undefined,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#snapshot.sheets);
  }

  /** Segments that hold records, rising; a sheet ends where the segment does that counts. */
  *sheets(): Generator<{ readonly sheet: Sheet; readonly segment: Segment; readonly mark: Buffer }> {
    for (const sheet of this.#snapshot.sheets) {
      const segment = this.#segments.get(sheet.sequence);
      if (segment?.mark) yield { sheet, segment, mark: segment.mark };
    }
  }

  /** Whether that segment was there, readable or not. */
  has(sequence: number): boolean {
    const { sheets, closed } = this.#snapshot;
    return sheets.some((each) => each.sequence === sequence) || closed.some((each) => each.sequence === sequence);
  }

  /** Names of bodies that no live reception names. */
  orphans(): readonly string[] {
    const named = new Set<string>();
    for (const { run, serial } of this.receptions.largeBodies()) named.add(largeName(run, serial));
    return this.#snapshot.large.filter((name) => !named.has(name));
  }

  /** First walk, from the newest segment to the oldest. */
  async #hearAll(): Promise<void> {
    for (const { path, sequence, why } of this.#snapshot.closed)
      this.#damaged(sequence, 0, `${path} cannot be read: ${why}`, undefined);
    for (const sheet of this.#snapshot.sheets.toReversed()) {
      try {
        await this.#hear(sheet);
      } catch (cause) {
        this.#damaged(sheet.sequence, 0, `${sheet.path} cannot be read: ${because(cause)}`, undefined);
      }
    }
    this.survey.settle();
  }

  async #hear(sheet: Sheet): Promise<void> {
    const segment = new Segment(sheet.sequence, sheet.path, undefined, undefined);
    segment.size = this.survey.counted(sheet.sequence, sheet.size);
    // Made ready for the next batch, and not needed so far.
    if (segment.size === 0) return;
    this.#segments.set(sheet.sequence, segment);
    const mark = await findMark(sheet, segment.size);
    if (mark === 'newer') {
      this.#damaged(sheet.sequence, 0, 'was written by a newer version, and is not read', undefined);
      return;
    }
    if (mark === undefined) {
      const start = Buffer.from(await sheet.read(0, Math.min(segment.size, 4096)));
      if (segment.size >= HEAD_BYTES && start.some((byte) => byte !== 0))
        this.#damaged(sheet.sequence, 0, 'holds no record of ours', { from: 0, to: segment.size, tail: false });
      return;
    }
    segment.mark = mark;
    const broken: Broken[] = [];
    for await (const records of recordsOf(sheet, segment.size, mark, 'check', broken)) {
      for (const found of records) this.survey.learn(segment, found);
    }
    for (const each of broken) {
      if (!each.tail)
        this.#damaged(sheet.sequence, each.from, `${each.to - each.from} bytes are no whole record`, each);
    }
  }

  place(sequence: number, at: number): string {
    const loop = this.directory.slice(this.directory.lastIndexOf('/') + 1);
    return `${loop}/${String(sequence).padStart(10, '0')}.seg:${at}`;
  }

  #damaged(sequence: number, at: number, reason: string, broken: Broken | undefined): void {
    this.damage.push({ place: this.place(sequence, at), sequence, reason, broken });
  }

  /**
   * Second walk, from the oldest segment on.
   *
   * @param wanted asked with the raw envelope before it is decoded
   */
  async *kept(wanted: (meta: Buffer) => boolean = () => true): AsyncGenerator<readonly KeptReception[]> {
    for (const { sheet, segment, mark } of this.sheets()) {
      if (segment.liveRecords === 0) continue;
      let batch: KeptReception[] = [];
      try {
        for await (const records of recordsOf(sheet, segment.size, mark, 'skip', [])) {
          for (const found of records) {
            const slot = this.survey.living(segment, found);
            if (slot === undefined || !wanted(found.meta)) continue;
            batch.push(this.reception(sheet, found, slot));
            if (batch.length === BATCH) {
              yield batch;
              batch = [];
            }
          }
        }
      } catch (cause) {
        this.#damaged(sheet.sequence, 0, `${sheet.path} cannot be read to its end: ${because(cause)}`, undefined);
      }
      if (batch.length > 0) yield batch;
    }
  }

  /** @param slot undefined: the record is whole but for its body, and was not counted */
  reception(sheet: Sheet, { head, offset, meta }: Found, slot: number | undefined): KeptReception {
    const { large, envelopeAt } = readReception(meta, head.flags)!;
    const largePath = large && this.#largePath(large.run, large.serial);
    const bodyAt = offset + HEAD_BYTES + head.metaLength;
    const disk = this.#disk;
    return {
      envelope: readEnvelope(meta, envelopeAt),
      traits: traitsOf(head.flags),
      done: slot === undefined ? [] : this.receptions.finished(slot),
      state: slot === undefined ? undefined : this.survey.state(slot),
      directory: this.directory,
      segment: sheet.path,
      offset,
      large: largePath,
      async *body() {
        yield* slices(sheet.path, sheet, bodyAt, head.bodyLength, head.bodyCrc);
        if (large && largePath !== undefined) yield* largeBody(disk, largePath, large);
      },
    };
  }

  #largePath(run: number, serial: number): string {
    return `${this.directory}/large/${largeName(run, serial)}`;
  }
}

/** @throws SpoolError IMP_SPOOL_READ, after the last bytes that could be had */
export async function* largeBody(disk: Disk, path: string, large: LargeReference): AsyncGenerator<Uint8Array> {
  let file: Awaited<ReturnType<Disk['open']>>;
  try {
    file = await disk.open(path, 'read');
  } catch (cause) {
    throw new SpoolError('IMP_SPOOL_READ', `the body ${path} cannot be opened: ${because(cause)}`, { cause });
  }
  try {
    yield* slices(path, file, 0, large.length, large.crc);
  } finally {
    await file.close().catch(() => undefined);
  }
}

async function* slices(
  path: string,
  source: { read(at: number, length: number): Promise<Uint8Array> },
  from: number,
  length: number,
  crc: number,
): AsyncGenerator<Uint8Array> {
  let sum = 0;
  for (let at = 0; at < length; ) {
    const wanted = Math.min(SLICE_BYTES, length - at);
    let bytes: Uint8Array;
    try {
      bytes = await source.read(from + at, wanted);
    } catch (cause) {
      throw new SpoolError('IMP_SPOOL_READ', `cannot read ${path}: ${because(cause)}`, { cause });
    }
    sum = crc32(bytes, sum);
    yield bytes;
    at += bytes.length;
    if (bytes.length < wanted)
      throw new SpoolError('IMP_SPOOL_READ', `${path} ends ${length - at} bytes before the body does`);
  }
  if (sum !== crc)
    throw new SpoolError('IMP_SPOOL_READ', `the body at ${path} byte ${from} is damaged: its sum is wrong`);
}
