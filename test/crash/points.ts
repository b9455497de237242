/** Where a process can be told to kill itself: the stations of the commit path, the done path, and all that moves files. */

export type Kind = 'reception' | 'bounce' | 'done' | 'retry state' | 'compaction';

/** What a batch of the log may hold that gives its points a name. */
export const kinds: readonly Kind[] = ['reception', 'bounce', 'done', 'retry state', 'compaction'];

const stages = ['before the write', 'half written', 'between write and sync', 'after the sync'] as const;
export type Stage = (typeof stages)[number];

/** A batch that holds such a record, at that stage of its way to the disk. */
export type BatchPoint = `${Kind}: ${Stage}`;

export type Point = BatchPoint | (typeof others)[number];

const others = [
  // The sender: what was promised to whom.
  'reply: before the 250 leaves',
  'reply: after the 250 has left',
  // The peer: what it has, and whether we know.
  'delivery: the dot was sent',
  'delivery: the 250 has come and was not heard',
  'delivery: the 250 was heard',
  // A body with a file of its own.
  'large body: before a write',
  'large body: half written',
  'large body: before its sync',
  'large body: after its sync',
  'large body: its name was synced',
  'large body: before its removal',
  'large body: after its removal',
  // One segment ends, the next begins.
  'segment change: before the new file',
  'segment change: the new file has no durable name',
  'segment change: the new name was synced',
  'segment change: half of the index',
  'segment change: the index was not synced',
  'segment change: the index was synced',
  'segment removal: before',
  'segment removal: not durable',
  'segment removal: durable',
  'recovery: while a segment is read',
] as const;

export const points: readonly Point[] = [
  ...kinds.flatMap((kind) => stages.map((stage): BatchPoint => `${kind}: ${stage}`)),
  ...others,
];

/** Those that come first: every station between the last byte of a message and its 250, and of what is done. */
export const core: readonly Point[] = [
  'reception: between write and sync',
  'done: between write and sync',
  'reply: before the 250 leaves',
  'delivery: the 250 was heard',
  'bounce: half written',
  'large body: its name was synced',
  'reception: after the sync',
  'done: before the write',
  'delivery: the 250 has come and was not heard',
  'reply: after the 250 has left',
  'reception: half written',
  'done: after the sync',
  'compaction: after the sync',
  'segment change: half of the index',
  'recovery: while a segment is read',
];

/**
 * Up to which visit of a point the process may live. Some come with every message, others once in a while: the number
 * spreads the kills over a second or so.
 */
export function mostVisits(point: Point): number {
  if (point.startsWith('reply:') || point.startsWith('delivery:')) return 400;
  if (point.startsWith('reception:') || point.startsWith('done:')) return 150;
  if (point.startsWith('large body:')) return 12;
  if (point.startsWith('recovery:')) return 2;
  if (point.startsWith('retry state:') || point.startsWith('bounce:')) return 12;
  return 2;
}
