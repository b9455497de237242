import type { Disk } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import type { Damage } from './damage.ts';
import { type LargeFiles, largeName } from './large.ts';
import type { Log } from './log.ts';
import { Numbers } from './numbers.ts';
import type { Note } from './pending.ts';
import type { Receptions } from './receptions.ts';
import {
  ABORT,
  DONE,
  type DoneList,
  HEAD_BYTES,
  headTotal,
  RECEPTION,
  readDone,
  readEnvelope,
  readReception,
  STATE,
  traitsOf,
} from './record.ts';
import { type Broken, type Found, findMark, readIndex, scan } from './scan.ts';
import { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import type { Recovered } from './spool.ts';
import { StateArena } from './state-arena.ts';
import { HOLDER, OFFSET, RECIPIENTS, REMAINING, STATE_HOLDER } from './table.ts';

const BATCH = 1000;

export interface RecoveryParts {
  readonly disk: Disk;
  readonly alarm: Alarm;
  readonly shelf: Shelf;
  readonly receptions: Receptions;
  readonly files: LargeFiles;
  readonly log: Log;
  readonly damage: Damage;
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
  readonly #numbers = new Numbers();
  /** Segment → offset from which on nothing in it ever happened. */
  readonly #cuts = new Map<number, number>();
  /** Dead receptions whose done record speaks of another segment than the one they were first written in. */
  readonly #deadElsewhere = new Map<string, number>();
  readonly #states = new StateArena();
  /** Slots that were made for a state or a done record whose reception has not come by yet. */
  readonly #homeless = new Set<number>();
  /** Slot → finished recipients, of receptions with some that are not. */
  readonly #partly = new Map<number, number[]>();
  readonly #largeNames: ReadonlySet<string>;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    this.#largeNames = new Set(parts.large);
  }

  async *run(): AsyncGenerator<readonly Recovered[]> {
    const { shelf, sequences } = this.#parts;
    for (let i = sequences.length - 1; i >= 0; i--) await this.#survey(sequences[i]!);
    this.#settleAccounts();
    const orphans = this.#orphans();
    for (const sequence of sequences) {
      const segment = shelf.get(sequence);
      if (segment && segment.liveRecords > 0) yield* this.#envelopes(segment);
    }
    await this.#clearAway(orphans);
    shelf.settled = true;
    for (const segment of shelf.all()) shelf.released(segment);
  }

  /** First walk, one segment. */
  async #survey(sequence: number): Promise<void> {
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
      // What stands behind the cut was refused: nobody looks at it again.
      segment.size = Math.min(status.size, this.#cuts.get(sequence) ?? Infinity);
      shelf.adopt(segment);
      shelf.pin(segment);
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
      for await (const records of this.#records(segment, mark, 'check', broken)) {
        for (const found of records) this.#learn(segment, found);
      }
      for (const each of broken) await this.#broken(segment, each);
    } catch (cause) {
      segment.foreign = true;
      alarm.tell(
        'CRITICAL',
        `cannot read ${path}: ${because(cause)}. It is left alone; what it holds is tried again at the next start.`,
      );
    } finally {
      if (segment.pins > 0) shelf.unpin(segment);
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

  /** All records, from the index or, without one, from the segment itself. */
  async *#records(
    segment: Segment,
    mark: Buffer,
    bodies: 'skip' | 'check',
    broken: Broken[],
  ): AsyncGenerator<readonly Found[]> {
    const source = this.#parts.shelf.source(segment);
    const index = await readIndex(source, segment.size, mark);
    if (index) {
      yield index;
      return;
    }
    for await (const window of scan(source, segment.size, mark, bodies)) {
      broken.push(...window.broken);
      yield window.records;
    }
  }

  #learn(segment: Segment, found: Found): void {
    const { head } = found;
    switch (head.type) {
      case ABORT:
        this.#cuts.set(head.origin, Math.min(head.ordinal, this.#cuts.get(head.origin) ?? Infinity));
        segment.owe(head.origin, HEAD_BYTES);
        return;
      case DONE: {
        const done = readDone(found.meta, head);
        if (done) this.#learnDone(segment, done, headTotal(head));
        return;
      }
      case STATE:
        this.#learnState(segment, found);
        return;
      case RECEPTION:
        this.#learnReception(segment, found);
        return;
      default:
    }
  }

  #learnDone(segment: Segment, done: DoneList, bytes: number): void {
    const { origin, ordinal, holder, recipients } = done;
    segment.owe(holder, bytes);
    if (this.#numbers.isDead(origin, ordinal)) return;
    if (recipients !== undefined) {
      const slot = this.#slot(origin, ordinal);
      const known = this.#partly.get(slot);
      if (known) known.push(...recipients);
      else this.#partly.set(slot, [...recipients]);
      return;
    }
    const slot = this.#numbers.slot(origin, ordinal);
    if (slot !== undefined) this.#forget(slot);
    this.#numbers.setDead(origin, ordinal);
    if (holder !== origin) this.#deadElsewhere.set(`${origin}:${ordinal}`, holder);
  }

  #forget(slot: number): void {
    this.#homeless.delete(slot);
    this.#partly.delete(slot);
    this.#states.drop(slot);
    this.#parts.receptions.forget(slot);
  }

  /** Its slot; a new one when this is the first word of it. */
  #slot(origin: number, ordinal: number): number {
    const known = this.#numbers.slot(origin, ordinal);
    if (known !== undefined) return known;
    const slot = this.#parts.receptions.table.allocate();
    this.#numbers.setSlot(origin, ordinal, slot);
    this.#homeless.add(slot);
    return slot;
  }

  #learnState(segment: Segment, found: Found): void {
    const { origin, ordinal } = found.head;
    if (this.#numbers.isDead(origin, ordinal)) return;
    const { receptions } = this.#parts;
    const slot = this.#slot(origin, ordinal);
    const holder = receptions.table.get(slot, STATE_HOLDER);
    // Newer segments came first; within one, the later record is the newer.
    if (holder !== 0 && holder !== segment.sequence) return;
    receptions.state(slot, segment.sequence, found.offset, headTotal(found.head));
    this.#states.put(slot, found.meta);
  }

  #learnReception(segment: Segment, found: Found): void {
    const { head } = found;
    const { receptions, shelf } = this.#parts;
    const meta = readReception(found.meta, head.flags);
    if (!meta) return;
    if (meta.replaces) this.#learnDone(segment, meta.replaces, 0);
    const { origin, ordinal } = head;
    if (this.#numbers.isDead(origin, ordinal)) {
      // It was moved, then finished, and this is the copy that should have been deleted: the done record speaks of the
      // other one and may go with it.
      const holder = this.#deadElsewhere.get(`${origin}:${ordinal}`) ?? origin;
      if (holder !== segment.sequence) this.#say({ origin, ordinal, holder: segment.sequence, recipients: undefined });
      return;
    }
    const slot = this.#slot(origin, ordinal);
    const newer = shelf.get(receptions.table.get(slot, HOLDER));
    if (newer) {
      if (newer !== segment) newer.movedFrom.add(segment.sequence);
      return;
    }
    this.#homeless.delete(slot);
    receptions.admit(
      slot,
      {
        origin,
        ordinal,
        holder: segment.sequence,
        offset: found.offset,
        headLength: HEAD_BYTES + head.metaLength,
        bodyLength: head.bodyLength,
        bodyCrc: head.bodyCrc,
        flags: head.flags,
        recipients: meta.recipients,
        large: meta.large,
      },
      undefined,
    );
  }

  #say(done: DoneList): void {
    const note: Note = { kind: 'again', done, offset: 0, length: 0, owes: 0 };
    this.#parts.log.note(note);
  }

  /** Between the walks: what was said in pieces is put together. */
  #settleAccounts(): void {
    const { receptions, shelf } = this.#parts;
    const { table } = receptions;
    // Records about receptions that are gone with their segments.
    for (const slot of [...this.#homeless]) this.#forget(slot);
    for (const [slot, recipients] of [...this.#partly]) {
      const total = table.get(slot, RECIPIENTS);
      receptions.finish(
        slot,
        recipients.filter((recipient) => recipient < total),
      );
      if (table.get(slot, REMAINING) === 0) this.#forget(slot);
    }
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
      for await (const records of this.#records(segment, mark, 'skip', [])) {
        for (const { head, offset, meta } of records) {
          if (head.type !== RECEPTION) continue;
          const slot = this.#numbers.slot(head.origin, head.ordinal);
          if (slot === undefined || table.get(slot, HOLDER) !== segment.sequence || table.get(slot, OFFSET) !== offset)
            continue;
          batch.push({
            at: table.address(slot),
            envelope: readEnvelope(meta, readReception(meta, head.flags)!.envelopeAt),
            traits: traitsOf(head.flags),
            done: receptions.finished(slot),
            state: this.#states.get(slot),
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
      const name = largeName(run, serial);
      named.add(name);
      if (!this.#largeNames.has(name))
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
