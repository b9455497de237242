import type { Batch } from './batch.ts';
import type { Copy, Note, PendingReception } from './pending.ts';
import type { Receptions } from './receptions.ts';
import {
  ABORT,
  DONE,
  type DoneList,
  doneMetaLength,
  flagsOf,
  HEAD_BYTES,
  LARGE,
  RECEPTION,
  REPLACES,
  receptionMetaRoom,
  STATE,
  writeDoneMeta,
  writeReceptionMeta,
} from './record.ts';
import type { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import {
  BODY_CRC,
  BODY_LENGTH,
  FLAGS,
  HOLDER,
  OFFSET,
  ORDINAL,
  ORIGIN,
  REMAINING,
  STATE_HOLDER,
  STATE_OFFSET,
} from './table.ts';

/*
 * From what waits to the bytes of a batch, and, when these are on disk, to the books. Between the two nothing of the
 * books changes: a batch that fails leaves no trace in memory.
 */

export function putReception(batch: Batch, segment: Segment, receptions: Receptions, pending: PendingReception): void {
  const replaces = replacement(receptions, pending);
  const json = JSON.stringify(pending.envelope);
  const recipients = pending.envelope.recipients.length;
  const at = batch.reserve(receptionMetaRoom(json, replaces));
  const metaLength = writeReceptionMeta(batch.slab, at, recipients, pending.large, replaces, json);
  pending.flags = flagsOf(pending.traits) | (pending.large ? LARGE : 0) | (replaces ? REPLACES : 0);
  pending.owes = replaces?.holder ?? 0;
  pending.ordinal = segment.nextOrdinal++;
  pending.offset = batch.offset;
  pending.headLength = HEAD_BYTES + metaLength;
  batch.record(
    RECEPTION,
    pending.flags,
    segment.sequence,
    pending.ordinal,
    metaLength,
    pending.body.length,
    pending.body.crc,
  );
  batch.body(pending.body.views);
}

/**
 * The finished recipients stand in the new reception's own record, under one sum: a crash keeps both or neither.
 * Both stay out of the books until the record is on disk.
 */
function replacement(receptions: Receptions, pending: PendingReception): DoneList | undefined {
  if (!pending.replaces) return undefined;
  const slot = receptions.alive(pending.replaces.at);
  return slot === undefined ? undefined : receptions.doneList(slot, pending.replaces.recipients);
}

/** @returns false: there is nothing to be said any more, and nothing was written */
export function putNote(batch: Batch, receptions: Receptions, shelf: Shelf, note: Note): boolean {
  const { table } = receptions;
  note.offset = batch.offset;
  switch (note.kind) {
    case 'done':
      // That all are finished comes later in the same queue.
      if (note.recipients !== undefined && table.get(note.slot, REMAINING) === 0) return false;
      putDone(batch, note, receptions.doneList(note.slot, note.recipients));
      return true;
    case 'again':
      if (!shelf.get(note.done.holder)) return false;
      putDone(batch, note, note.done);
      return true;
    case 'state': {
      if (table.get(note.slot, REMAINING) === 0) return false;
      const at = batch.reserve(note.bytes.length);
      batch.slab.set(note.bytes, at);
      batch.record(STATE, 0, table.get(note.slot, ORIGIN), table.get(note.slot, ORDINAL), note.bytes.length, 0, 0);
      note.length = batch.offset - note.offset;
      return true;
    }
    case 'abort':
      if (!shelf.get(note.segment)) return false;
      batch.reserve(0);
      batch.record(ABORT, 0, note.segment, note.from, 0, 0, 0);
      note.length = batch.offset - note.offset;
      note.owes = note.segment;
      return true;
  }
}

function putDone(batch: Batch, note: Note, done: DoneList): void {
  writeDone(batch, done);
  note.length = batch.offset - note.offset;
  note.owes = done.holder;
}

function writeDone(batch: Batch, done: DoneList): void {
  const length = doneMetaLength(done);
  // The slab behind the room: to make room may turn it.
  const at = batch.reserve(length);
  writeDoneMeta(batch.slab, at, done);
  batch.record(DONE, 0, done.origin, done.ordinal, length, 0, 0);
}

/** Writes a meta part that stands on disk already. */
function copyMeta(batch: Batch, meta: Buffer): void {
  const at = batch.reserve(meta.length);
  meta.copy(batch.slab, at);
}

/** @returns false: it has died, or another record has taken its place */
export function putCopy(batch: Batch, segment: Segment, receptions: Receptions, copy: Copy): boolean {
  const { table } = receptions;
  const { slot, meta } = copy;
  if (table.get(slot, REMAINING) === 0) return false;
  if (copy.kind === 'state') {
    if (table.get(slot, STATE_HOLDER) !== copy.from || table.get(slot, STATE_OFFSET) !== copy.at) return false;
    copy.offset = batch.offset;
    copyMeta(batch, meta);
    batch.record(STATE, 0, table.get(slot, ORIGIN), table.get(slot, ORDINAL), meta.length, 0, 0);
    return true;
  }
  if (table.get(slot, HOLDER) !== copy.from || table.get(slot, OFFSET) !== copy.at) return false;
  copy.offset = batch.offset;
  copyMeta(batch, meta);
  const bodyLength = table.get(slot, BODY_LENGTH);
  batch.record(
    RECEPTION,
    table.get(slot, FLAGS),
    table.get(slot, ORIGIN),
    table.get(slot, ORDINAL),
    meta.length,
    bodyLength,
    table.get(slot, BODY_CRC),
  );
  batch.body([copy.body]);
  // Records that finished some of its recipients spoke about the old segment and may go with it.
  const finished = receptions.finished(slot);
  if (finished.length > 0) writeDone(batch, { ...receptions.doneList(slot, finished), holder: segment.sequence });
  return true;
}

export function settleNote(segment: Segment, receptions: Receptions, shelf: Shelf, note: Note): void {
  switch (note.kind) {
    case 'state':
      if (receptions.table.get(note.slot, REMAINING) > 0)
        receptions.state(note.slot, segment.sequence, note.offset, note.length);
      return;
    case 'done':
      shelf.owe(segment, note.owes, note.length);
      if (note.recipients === undefined) receptions.forget(note.slot);
      return;
    default:
      shelf.owe(segment, note.owes, note.length);
  }
}

export function settleCopy(segment: Segment, receptions: Receptions, shelf: Shelf, copy: Copy): void {
  const { table } = receptions;
  if (copy.kind === 'state') {
    // A slot that has died since the batch was made is still there: its done record goes with a later batch.
    if (table.get(copy.slot, STATE_HOLDER) === copy.from && table.get(copy.slot, STATE_OFFSET) === copy.at) {
      receptions.state(copy.slot, segment.sequence, copy.offset, HEAD_BYTES + copy.meta.length);
    }
    return;
  }
  receptions.move(copy.slot, segment.sequence, copy.offset);
  // Until the old copy is gone for good, the new one must be there to be finished in its stead.
  if (shelf.get(copy.from)) segment.movedFrom.add(copy.from);
}
