import type { Millis } from '../base/index.ts';
import type { MessageId } from '../message/index.ts';
import type { Disk } from '../world/index.ts';
import { because } from './alarm.ts';
import { type KeptReception, type LoopReader, largeBody } from './loop-reader.ts';
import { SpoolReader } from './reader.ts';
import { headTotal, RECEPTION, readReception } from './record.ts';
import { type Broken, type Found, readIndex, scan } from './scan.ts';
import type { Segment } from './segment.ts';
import type { Sheet } from './snapshot.ts';

/** Messages are recipients here, each with its own id, as in Momentum; finished ones are not counted. */
export interface SpoolReport {
  readonly scanned: number;
  readonly ok: number;
  /** Records that cannot be read, as far as messages are or may be lost with them. */
  readonly metaFailures: number;
  readonly bodyFailures: number;
  /** Bodies in files of their own that no live message names. */
  readonly orphans: number;
  readonly oldest: Dated | undefined;
  readonly newest: Dated | undefined;
  readonly failures: readonly SpoolFailure[];
}

export interface Dated {
  readonly id: MessageId;
  readonly receivedAt: Millis;
}

export interface SpoolFailure {
  /** Of the message, or the place of bytes of which nobody can say what they were: `L0/0000000003.seg:1234`. */
  readonly id: string;
  readonly kind: 'meta' | 'body';
  readonly reason: string;
}

/** A failure, with what is needed to look again. */
interface Suspicion extends SpoolFailure {
  readonly directory: string;
  readonly sequence: number;
  /** A record of the reception; undefined: nobody knows which. */
  readonly found: Found | undefined;
  /** It is one that is served, as far as it can be. */
  readonly counted: boolean;
}

/**
 * Reads everything that lives, bodies and all, and holds it against its sums. Nothing is changed.
 *
 * @throws SpoolError IMP_SPOOL_READ: there is no spool, or it may not be read
 */
export async function checkSpool(disk: Disk, base: string): Promise<SpoolReport> {
  const check = new Check(disk);
  let orphans: readonly string[];
  {
    await using reader = await SpoolReader.open(disk, base);
    for (const loop of reader.loops) await check.loop(loop);
    orphans = orphansOf(reader);
  }
  let suspicions = check.suspicions;
  if (suspicions.length > 0 || orphans.length > 0) {
    // Beside a running server a message may have been finished while it was looked at, and its file be gone for good
    // reason; a file without a record may have its record by now. What is still so at a second look is so.
    await using again = await SpoolReader.open(disk, base);
    suspicions = suspicions.filter((each) => isStillSo(again, each));
    const rest = new Set(orphansOf(again));
    orphans = orphans.filter((path) => rest.has(path));
  }
  const metaFailures = suspicions.filter(({ kind }) => kind === 'meta').length;
  return {
    scanned: check.ok + suspicions.length,
    ok: check.ok,
    metaFailures,
    bodyFailures: suspicions.length - metaFailures,
    orphans: orphans.length,
    oldest: check.oldest,
    newest: check.newest,
    failures: suspicions.map(({ id, kind, reason }) => ({ id, kind, reason })),
  };
}

function orphansOf(reader: SpoolReader): readonly string[] {
  return reader.loops.flatMap((loop) => loop.orphans().map((name) => `${loop.directory}/large/${name}`));
}

function isStillSo(again: SpoolReader, { directory, sequence, found, counted }: Suspicion): boolean {
  const loop = again.loops.find((each) => each.directory === directory);
  if (!loop) return false;
  if (found && counted) return loop.survey.isAlive(found);
  return loop.has(sequence) && !(found && loop.survey.isFinished(found));
}

class Check {
  readonly #disk: Disk;
  readonly suspicions: Suspicion[] = [];
  ok = 0;
  oldest: Dated | undefined;
  newest: Dated | undefined;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async loop(loop: LoopReader): Promise<void> {
    for (const { place, sequence, reason, broken } of loop.damage) {
      // Broken bytes are looked at more closely below, where the segment has records at all.
      const later = broken !== undefined && [...loop.sheets()].some(({ sheet }) => sheet.sequence === sequence);
      if (!later) this.#unknown(loop, sequence, place, reason);
    }
    for (const { sheet, segment, mark } of loop.sheets()) {
      try {
        await this.#segment(loop, sheet, segment, mark);
      } catch (cause) {
        const { sequence } = sheet;
        this.#unknown(loop, sequence, loop.place(sequence, 0), `cannot be read to its end: ${because(cause)}`);
      }
    }
  }

  /** Holds the segment itself against what its index says, or it alone was read before. */
  async #segment(loop: LoopReader, sheet: Sheet, segment: Segment, mark: Buffer): Promise<void> {
    const index = await readIndex(sheet, segment.size, mark);
    if (index && segment.liveRecords === 0) return;
    /** Live by the index, and not met so far. */
    const missing = new Map<number, Found>();
    for (const window of index?.windows() ?? [])
      for (const found of window)
        if (loop.survey.living(segment, found) !== undefined) missing.set(found.offset, found);
    /** Of the broken bytes under way. */
    let spoiled: Found[] = [];
    for await (const window of scan(sheet, segment.size, mark, 'check')) {
      for (const found of window.records) {
        const slot = loop.survey.living(segment, found);
        if (slot === undefined) continue;
        missing.delete(found.offset);
        await this.#body(loop, sheet, found, slot);
      }
      for (const found of window.spoiled) {
        const slot = loop.survey.living(segment, found);
        if (slot === undefined) {
          spoiled.push(found);
          continue;
        }
        missing.delete(found.offset);
        this.#failed(loop, sheet, found, slot, 'body', `the sum of its body is wrong, in ${sheet.path}`);
      }
      // What an index speaks of is known: the rest of a sealed segment is dead.
      if (index) spoiled = [];
      else for (const broken of window.broken) spoiled = this.#broken(loop, sheet, broken, spoiled);
    }
    for (const found of missing.values()) {
      const reason = `its record is damaged, in ${sheet.path}; the index still has its envelope`;
      this.#failed(loop, sheet, found, loop.survey.living(segment, found), 'meta', reason);
    }
  }

  /** @returns those of the spoiled records that stand behind these bytes */
  #broken(loop: LoopReader, sheet: Sheet, { from, to, tail }: Broken, spoiled: readonly Found[]): Found[] {
    const inside = spoiled.filter(({ offset }) => offset < to);
    const behind = spoiled.filter(({ offset }) => offset >= to);
    // A torn tail was never acknowledged.
    if (tail) return behind;
    let unknown = to - from;
    for (const found of inside) {
      const { head, meta } = found;
      unknown -= headTotal(head);
      if (head.type !== RECEPTION || loop.survey.isFinished(found) || !readReception(meta, head.flags)) continue;
      const reason = `its body is damaged in a segment that was never sealed, ${sheet.path}: it is not served`;
      this.#failed(loop, sheet, found, undefined, 'body', reason);
    }
    if (unknown > 0) {
      const { sequence } = sheet;
      this.#unknown(loop, sequence, loop.place(sequence, from), `${to - from} bytes are no whole record`);
    }
    return behind;
  }

  /** Its record is whole: is the rest of it, if it has a file of its own? */
  async #body(loop: LoopReader, sheet: Sheet, found: Found, slot: number): Promise<void> {
    const large = loop.receptions.large(slot);
    const kept = loop.reception(sheet, found, slot);
    if (large && kept.large !== undefined) {
      try {
        for await (const slice of largeBody(this.#disk, kept.large, large)) void slice;
        const status = await this.#disk.status(kept.large);
        if (status && status.size > large.length) throw new Error(`${kept.large} is longer than its record says`);
      } catch (cause) {
        this.#failed(loop, sheet, found, slot, 'body', because(cause));
        return;
      }
    }
    const { receivedAt } = kept.envelope;
    for (const id of unfinished(kept)) {
      this.ok++;
      if (this.oldest === undefined || receivedAt < this.oldest.receivedAt) this.oldest = { id, receivedAt };
      if (this.newest === undefined || receivedAt >= this.newest.receivedAt) this.newest = { id, receivedAt };
    }
  }

  #failed(
    loop: LoopReader,
    sheet: Sheet,
    found: Found,
    slot: number | undefined,
    kind: SpoolFailure['kind'],
    reason: string,
  ): void {
    const { directory } = loop;
    for (const id of unfinished(loop.reception(sheet, found, slot)))
      this.suspicions.push({
        id,
        kind,
        reason,
        directory,
        sequence: sheet.sequence,
        found,
        counted: slot !== undefined,
      });
  }

  #unknown(loop: LoopReader, sequence: number, id: string, reason: string): void {
    const { directory } = loop;
    this.suspicions.push({ id, kind: 'meta', reason, directory, sequence, found: undefined, counted: false });
  }
}

function unfinished({ envelope, done }: KeptReception): readonly MessageId[] {
  const finished = new Set(done);
  return envelope.recipients.filter((_, i) => !finished.has(i)).map(({ id }) => id);
}
