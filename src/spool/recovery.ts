import type { Disk } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import type { Damage } from './damage.ts';
import { type LargeFiles, largeName } from './large.ts';
import type { Log } from './log.ts';
import type { Note } from './pending.ts';
import type { Receptions } from './receptions.ts';
import { type DoneList, HEAD_BYTES, readEnvelope, readReception, traitsOf } from './record.ts';
import { type Broken, findMark, recordsOf } from './scan.ts';
import { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import type { Recovered } from './spool.ts';
import { Survey } from './survey.ts';

/** Envelopes as objects live as long as their batch is worked on: few at a time stay out of the old part of the heap. */
const BATCH = 100;

export interface RecoveryParts {
  readonly disk: Disk;
  readonly alarm: Alarm;
  readonly shelf: Shelf;
  readonly receptions: Receptions;
  readonly files: LargeFiles;
  readonly log: Log;
  readonly damage: Damage;
  /** Lets everybody else have a turn of the loop. */
  readonly turn: () => Promise<void>;
  /** `force_fsync`, as of now. */
  readonly sync: () => boolean;
  /** Sequences of the segments that were there at the start, rising. */
  readonly sequences: readonly number[];
  /** Names of the bodies in `large/` at the start. */
  readonly large: readonly string[];
}

/**
 * What an earlier process left. Two walks over the heads: the first from the newest segment to the oldest, so that what
 * was finished, refused or moved is known before the reception itself comes by; the second from the oldest on, for the
 * envelopes of what is left. Bodies are read only in segments that were never sealed, where one may be torn.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #survey: Survey;
  readonly #largeNames: ReadonlySet<string>;
  /** The disk has refused to read some of it. */
  #unread = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    this.#survey = new Survey({
      receptions: parts.receptions,
      segment: (sequence) => parts.shelf.get(sequence),
      repeat: (done) => this.#say(done),
    });
    this.#largeNames = new Set(parts.large);
  }

  async *run(): AsyncGenerator<readonly Recovered[]> {
    const { shelf, sequences } = this.#parts;
    for (let i = sequences.length - 1; i >= 0; i--) await this.#hear(sequences[i]!);
    this.#survey.settle();
    this.#settleDebts();
    const orphans = this.#orphans();
    for (const sequence of sequences) {
      const segment = shelf.get(sequence);
      if (segment && segment.liveRecords > 0) yield* this.#envelopes(segment);
    }
    await this.#clearAway(orphans);
    // What could not be read may speak about all the others, and be readable at the next start: until then nothing may be
    // deleted, or what is done today would come back.
    if (this.#unread) return;
    shelf.settled = true;
    for (const segment of shelf.all()) shelf.released(segment);
  }

  /** First walk, one segment. */
  async #hear(sequence: number): Promise<void> {
    const { alarm, disk, shelf } = this.#parts;
    const path = shelf.path(sequence);
    const segment = new Segment(sequence, path, undefined, undefined);
    try {
      const status = await disk.status(path);
      if (!status) return;
      if (status.size === 0) {
        await disk.remove(path);
        alarm.tell('NOTICE', `${path} is empty and was removed: the process before ended before it was used.`);
        return;
      }
      segment.size = this.#survey.counted(sequence, status.size);
      shelf.adopt(segment);
      shelf.pin(segment);
      await this.#secure(path);
      const mark = await findMark(shelf.source(segment), segment.size);
      if (mark === 'newer') {
        segment.foreign = true;
        alarm.tell(
          'CRITICAL',
          `${path} was written by a newer version: it is left alone, and its mail waits for that version.`,
        );
        return;
      }
      if (mark === undefined) {
        await this.#unknown(segment);
        return;
      }
      segment.mark = mark;
      const broken: Broken[] = [];
      for await (const records of recordsOf(
        shelf.source(segment),
        segment.size,
        mark,
        'check',
        broken,
        this.#parts.turn,
      )) {
        for (const found of records) this.#survey.learn(segment, found);
      }
      for (const each of broken) await this.#broken(segment, each);
    } catch (cause) {
      segment.foreign = true;
      this.#unread = true;
      alarm.tell(
        'CRITICAL',
        `cannot read ${path}: ${because(cause)}. It is left alone; what it holds is tried again at the next start.`,
      );
    } finally {
      if (segment.pins > 0) shelf.unpin(segment);
    }
  }

  /**
   * What a killed process wrote last may stand in the page cache only. Mail must not be sent, nor a bounce, on the
   * strength of a record that a power cut could still take back. A disk that refuses is told of, and served all the
   * same: mail that waits for the next start would be the greater harm.
   */
  async #secure(path: string): Promise<void> {
    const { alarm, disk, sync } = this.#parts;
    if (!sync()) return;
    try {
      const file = await disk.open(path, 'append');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (cause) {
      alarm.tell(
        'WARNING',
        `cannot sync ${path}: ${because(cause)}. If the process before was killed, a power cut may still undo its last second.`,
      );
    }
  }

  async #broken(segment: Segment, { from, to, tail }: Broken): Promise<void> {
    if (tail) {
      this.#parts.alarm.tell(
        'NOTICE',
        `${segment.path} ends in ${to - from} bytes that were never acknowledged: they are ignored.`,
      );
      return;
    }
    segment.damaged = true;
    if (!(await this.#putAside(segment, from, to))) segment.foreign = true;
  }

  #putAside(segment: Segment, from: number, to: number): Promise<boolean> {
    return this.#parts.damage.keep(
      this.#parts.shelf.source(segment),
      String(segment.sequence).padStart(10, '0'),
      from,
      to,
    );
  }

  /** No record of ours in its place at the beginning. */
  async #unknown(segment: Segment): Promise<void> {
    const { alarm, shelf } = this.#parts;
    if (segment.size === 0) return;
    const start = Buffer.from(await shelf.source(segment).read(0, Math.min(segment.size, 4096)));
    if (segment.size < HEAD_BYTES || start.every((byte) => byte === 0)) {
      alarm.tell(
        'NOTICE',
        `${segment.path} holds no record: the process before ended in its first write, of which nothing was acknowledged.`,
      );
    } else if (!(await this.#putAside(segment, 0, segment.size))) {
      segment.foreign = true;
    }
  }

  #say(done: DoneList): void {
    const note: Note = { kind: 'again', done, offset: 0, length: 0, owes: 0 };
    this.#parts.log.note(note);
  }

  /** Between the walks: debts to segments that are gone mean nothing. */
  #settleDebts(): void {
    const { shelf } = this.#parts;
    for (const segment of shelf.all()) {
      for (const debt of [...segment.owes.keys(), ...segment.movedFrom]) if (!shelf.get(debt)) segment.settle(debt);
    }
  }

  /** Second walk, one segment. */
  async *#envelopes(segment: Segment): AsyncGenerator<readonly Recovered[]> {
    const { alarm, receptions, shelf } = this.#parts;
    const { table } = receptions;
    const { mark } = segment;
    if (mark === undefined) return;
    let batch: Recovered[] = [];
    shelf.pin(segment);
    try {
      for await (const records of recordsOf(shelf.source(segment), segment.size, mark, 'skip', [], this.#parts.turn)) {
        for (const found of records) {
          const slot = this.#survey.living(segment, found);
          if (slot === undefined) continue;
          const { head, meta } = found;
          batch.push({
            at: table.address(slot),
            envelope: readEnvelope(meta, readReception(meta, head.flags)!.envelopeAt),
            traits: traitsOf(head.flags),
            done: receptions.finished(slot),
            state: this.#survey.state(slot),
          });
          if (batch.length === BATCH) {
            yield batch;
            batch = [];
          }
        }
      }
    } catch (cause) {
      segment.foreign = true;
      alarm.tell(
        'CRITICAL',
        `cannot read ${segment.path} to its end: ${because(cause)}. What it holds is tried again at the next start.`,
      );
    } finally {
      shelf.unpin(segment);
    }
    if (batch.length > 0) yield batch;
  }

  /**
   * Holds names in records against files: a body that is gone is told of, its message stays and cannot be read.
   *
   * @returns bodies that no live reception names: left by a crash between their first byte and their commit, or after
   *   their end
   */
  #orphans(): readonly string[] {
    const { alarm, files, receptions } = this.#parts;
    const named = new Set<string>();
    for (const { run, serial } of receptions.largeBodies()) {
      // New mail is taken meanwhile: its bodies were not there at the start.
      if (run === files.run) continue;
      const name = largeName(run, serial);
      named.add(name);
      // Whether it is done may stand in what cannot be read.
      if (!this.#largeNames.has(name) && !this.#unread)
        alarm.tell(
          'CRITICAL',
          `${files.path(run, serial)} is gone: the body of an acknowledged message is lost. Check the disk.`,
        );
    }
    return [...this.#largeNames].filter((name) => !named.has(name));
  }

  async #clearAway(orphans: readonly string[]): Promise<void> {
    const { shelf, damage, files } = this.#parts;
    const segments = [...shelf.all()];
    // Whose records cannot be read now may be read later, and then names them.
    if (segments.some((segment) => segment.foreign)) return;
    const doubtful = segments.some((segment) => segment.damaged);
    for (const name of orphans) {
      const path = `${files.directory}/${name}`;
      if (doubtful) await damage.move(path, name);
      else files.remove(path);
    }
  }
}
