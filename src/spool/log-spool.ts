import type { BodyHold, BodyTraits, Envelope, SpoolAddress } from '../message/index.ts';
import type { Clock, Disk } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import type { Compaction } from './compaction.ts';
import { type DraftHost, LogDraft, type Replacement } from './draft.ts';
import { FilePart, Hold, type Part, ViewsPart } from './hold.ts';
import type { LargeFiles } from './large.ts';
import { type Log, refusal } from './log.ts';
import type { PendingReception } from './pending.ts';
import type { Receptions } from './receptions.ts';
import { type LargeReference, traitsOf } from './record.ts';
import type { Recovery } from './recovery.ts';
import type { Residency } from './residency.ts';
import type { Room } from './room.ts';
import type { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import {
  type Draft,
  type Recovered,
  type Spool,
  SpoolError,
  type SpoolSettings,
  type SpoolStatistics,
  type Told,
} from './spool.ts';
import { BODY_CRC, BODY_LENGTH, FLAGS, HEAD_LENGTH, HOLDER, OFFSET, REMAINING } from './table.ts';

/** Beyond this a body goes to a file, whatever large_message_threshold says: offsets in a segment have 32 bits. */
const LONGEST_INLINE = 2 ** 30;

export interface SpoolParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly alarm: Alarm;
  readonly shelf: Shelf;
  readonly receptions: Receptions;
  readonly residency: Residency;
  readonly files: LargeFiles;
  readonly log: Log;
  readonly room: Room;
  readonly compaction: Compaction;
  /** What is left of an earlier process; undefined when there is nothing. */
  readonly recovery: Recovery | undefined;
  readonly settings: { current: SpoolSettings };
  readonly lock: AsyncDisposable;
}

/** The spool as a log of segments: all doors of the room, none of its work. */
export class LogSpool implements Spool, DraftHost {
  readonly #parts: SpoolParts;
  readonly #finishing = new Set<Promise<void>>();
  #recovering = false;
  #closing: Promise<void> | undefined;

  constructor(parts: SpoolParts) {
    this.#parts = parts;
  }

  get files(): LargeFiles {
    return this.#parts.files;
  }

  draft(): Draft {
    return new LogDraft(this, Math.min(this.#parts.settings.current.large_message_threshold, LONGEST_INLINE));
  }

  commit(draft: LogDraft, envelope: Envelope, traits: BodyTraits, told: Told, replaces: Replacement | undefined): void {
    if (this.#closing) {
      const why = new SpoolError('IMP_SPOOL_WRITE', 'the spool is closing: the message was refused with 451.');
      this.#parts.clock.defer(() => this.#refuse(draft, told, why));
      return;
    }
    if (!draft.large) {
      this.#receive(draft, envelope, traits, told, replaces, undefined);
      return;
    }
    const finishing = this.#finishLarge(draft, envelope, traits, told, replaces);
    this.#finishing.add(finishing);
    void finishing.then(() => this.#finishing.delete(finishing));
  }

  /** The file first, the record that names it afterwards. */
  async #finishLarge(
    draft: LogDraft,
    envelope: Envelope,
    traits: BodyTraits,
    told: Told,
    replaces: Replacement | undefined,
  ): Promise<void> {
    const { alarm, files, settings, room } = this.#parts;
    let large: LargeReference;
    try {
      large = await draft.finishLarge(settings.current.force_fsync);
    } catch (cause) {
      const why = refusal(cause, files.directory);
      if (why.code === 'IMP_SPOOL_FULL') room.ranOut();
      alarm.repeat(
        'large',
        'CRITICAL',
        `cannot write in ${files.directory}: ${because(cause)}. Large messages are refused; nothing acknowledged is lost.`,
      );
      this.#refuse(draft, told, why);
      return;
    }
    this.#receive(draft, envelope, traits, told, replaces, large);
  }

  #receive(
    draft: LogDraft,
    envelope: Envelope,
    traits: BodyTraits,
    told: Told,
    replaces: Replacement | undefined,
    large: LargeReference | undefined,
  ): void {
    this.#parts.log.receive({
      envelope,
      traits,
      told,
      body: draft.record(),
      large,
      replaces,
      refused: (why) => this.#refuse(draft, told, why),
      ordinal: 0,
      offset: 0,
      headLength: 0,
      flags: 0,
      owes: 0,
    });
  }

  #refuse(draft: LogDraft, told: Told, why: SpoolError): void {
    this.#tell(() => draft.refused(told, why));
  }

  /** One caller with a bug must not take the rest of its batch with it. */
  #tell(word: () => void): void {
    try {
      word();
    } catch (cause) {
      this.#parts.alarm.tell('ERROR', `who waited for a reception has failed: ${because(cause)}`);
    }
  }

  /** Its batch is on disk. */
  admitted(segment: Segment, pending: PendingReception): void {
    const { receptions, shelf } = this.#parts;
    const { table } = receptions;
    const slot = table.allocate();
    const large = pending.large;
    receptions.admit(
      slot,
      {
        origin: segment.sequence,
        ordinal: pending.ordinal,
        holder: segment.sequence,
        offset: pending.offset,
        headLength: pending.headLength,
        bodyLength: pending.body.length,
        bodyCrc: pending.body.crc,
        flags: pending.flags,
        recipients: pending.envelope.recipients.length,
        large,
      },
      large ? undefined : pending.body,
    );
    if (pending.replaces) {
      shelf.owe(segment, pending.owes, pending.headLength);
      this.#finish(pending.replaces.at, pending.replaces.recipients, true);
    }
    const at = table.address(slot);
    this.#tell(() => pending.told.kept(at));
  }

  hold(at: SpoolAddress): BodyHold {
    const { receptions, residency, shelf, files } = this.#parts;
    const { table } = receptions;
    const slot = table.slot(at);
    const traits = traitsOf(table.get(slot, FLAGS));
    const body = residency.get(slot);
    if (body) {
      body.holds++;
      return new Hold(traits, [new ViewsPart(body.views, body.length)], () => {
        body.holds--;
        residency.released();
      });
    }
    const segment = shelf.get(table.get(slot, HOLDER))!;
    const parts: Part[] = [];
    const release: (() => void)[] = [];
    const length = table.get(slot, BODY_LENGTH);
    shelf.pin(segment);
    release.push(() => shelf.unpin(segment));
    if (length > 0) {
      parts.push(
        new FilePart(
          shelf.source(segment),
          table.get(slot, OFFSET) + table.get(slot, HEAD_LENGTH),
          length,
          table.get(slot, BODY_CRC),
        ),
      );
    }
    const large = receptions.large(slot);
    if (large) parts.push(files.part(files.path(large.run, large.serial), large.length, large.crc, release));
    return new Hold(traits, parts, () => {
      for (const each of release) each();
    });
  }

  swapOut(at: SpoolAddress): void {
    this.#parts.residency.drop(this.#parts.receptions.table.slot(at));
  }

  amend(at: SpoolAddress, state: Uint8Array): void {
    const slot = this.#parts.receptions.table.slot(at);
    this.#parts.log.note({ kind: 'state', slot, bytes: state, offset: 0, length: 0, owes: 0 });
  }

  done(at: SpoolAddress, recipients: readonly number[]): void {
    this.#parts.receptions.table.slot(at);
    this.#finish(at, recipients, false);
  }

  /** @param written that these are finished is on disk already, but not yet that all are */
  #finish(at: SpoolAddress, recipients: readonly number[], written: boolean): void {
    const { receptions, log } = this.#parts;
    const slot = receptions.alive(at);
    if (slot === undefined) return;
    const fresh = receptions.finish(slot, recipients);
    if (receptions.table.get(slot, REMAINING) === 0)
      log.note({ kind: 'done', slot, recipients: undefined, offset: 0, length: 0, owes: 0 });
    else if (!written && fresh.length > 0)
      log.note({ kind: 'done', slot, recipients: fresh, offset: 0, length: 0, owes: 0 });
  }

  replace(
    at: SpoolAddress,
    recipients: readonly number[],
    draft: Draft,
    envelope: Envelope,
    traits: BodyTraits,
    told: Told,
  ): void {
    this.#parts.receptions.table.slot(at);
    if (!(draft instanceof LogDraft)) throw new Error('a draft of another spool');
    draft.commitInPlaceOf({ at, recipients }, envelope, traits, told);
  }

  async *recover(): AsyncGenerator<readonly Recovered[]> {
    if (this.#recovering) throw new Error('recovery runs once');
    this.#recovering = true;
    if (this.#parts.recovery) yield* this.#parts.recovery.run();
  }

  async flush(): Promise<void> {
    await Promise.all(this.#finishing);
    await this.#parts.log.flushed();
    await this.#parts.files.idle();
  }

  adjust(settings: SpoolSettings): void {
    this.#parts.settings.current = settings;
    this.#parts.residency.limit(settings.max_resident_messages, settings.max_resident_bytes);
  }

  get statistics(): SpoolStatistics {
    const { shelf, receptions, residency, log, room } = this.#parts;
    let bytes = 0;
    for (const segment of shelf.all()) bytes += segment.size;
    // Who does not even try to write because of this answer must hear when there is room again.
    if (room.full) void room.look();
    return {
      segments: shelf.count,
      bytes,
      receptions: receptions.table.size,
      full: room.full,
      residentBytes: residency.bytes,
      residentBodies: residency.bodies,
      syncs: log.syncs,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { alarm, compaction, files, lock, log, shelf } = this.#parts;
    await compaction.close();
    try {
      await this.flush();
    } catch (cause) {
      alarm.tell(
        'CRITICAL',
        `the spool closes without its last done and state records: ${because(cause)}. Some mail may be delivered twice.`,
      );
    }
    log.close();
    await shelf.close();
    await files.idle();
    await lock[Symbol.asyncDispose]();
  }
}
