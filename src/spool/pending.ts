import type { BodyTraits, Envelope, SpoolAddress } from '../message/index.ts';
import type { Body } from './body.ts';
import type { DoneList, LargeReference } from './record.ts';
import type { SpoolError, Told } from './spool.ts';

/** A reception on its way to the disk. */
export interface PendingReception {
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
  readonly told: Told;
  /** What goes into the record: the body, or what stands in front of `large`. */
  readonly body: Body;
  readonly large: LargeReference | undefined;
  readonly replaces: { readonly at: SpoolAddress; readonly recipients: readonly number[] } | undefined;
  /** What the caller cannot clean up by itself. */
  refused(why: SpoolError): void;
  // Filled in when the batch is made.
  ordinal: number;
  offset: number;
  headLength: number;
  flags: number;
  /** The segment that `replaces` speaks about; 0: none. */
  owes: number;
}

/** A record without a body. Filled in when a batch is made, used when it has succeeded, made again when it has not. */
export type Note = { offset: number; length: number; owes: number } & (
  | {
      readonly kind: 'done';
      readonly slot: number /** undefined: all */;
      readonly recipients: readonly number[] | undefined;
    }
  | { readonly kind: 'state'; readonly slot: number; readonly bytes: Uint8Array }
  /** What another segment has behind an offset never happened. */
  | { readonly kind: 'abort'; readonly segment: number; readonly from: number }
  /** Written again by compaction, or because what it named has moved. */
  | { readonly kind: 'again'; readonly done: DoneList }
);

/** A live record that compaction writes again. */
export type Copy = { offset: number } & (
  | {
      readonly kind: 'reception';
      readonly slot: number;
      readonly from: number;
      readonly at: number;
      readonly meta: Buffer;
      readonly body: Buffer;
    }
  | { readonly kind: 'state'; readonly slot: number; readonly from: number; readonly at: number; readonly meta: Buffer }
);
