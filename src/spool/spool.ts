import type { Segments } from '../base/index.ts';
import type { BodyHold, BodyTraits, Envelope, SpoolAddress } from '../message/index.ts';

/** Accepted means on disk. Knows nothing of domains, bindings or SMTP. */
export interface Spool extends AsyncDisposable {
  /** One reception: envelope and body, one record. */
  draft(): Draft;
  /** A lease on the body of a live reception. */
  hold(at: SpoolAddress): BodyHold;
  /** Its body leaves memory now, unless somebody holds it: for mail that will not be needed soon. */
  swapOut(at: SpoolAddress): void;
  /** Attempts so far and the next attempt; lost in a crash = one more attempt. */
  amend(at: SpoolAddress, state: Uint8Array): void;
  /** Those recipients (indices into the envelope) are finished. With the last one the reception is dead. */
  done(at: SpoolAddress, recipients: readonly number[]): void;
  /** Those are finished and the new message exists, in one batch: a crash can neither lose a bounce nor send it twice. */
  replace(
    at: SpoolAddress,
    recipients: readonly number[],
    draft: Draft,
    envelope: Envelope,
    traits: BodyTraits,
    told: Told,
  ): void;
  /** What an earlier process left: envelopes and states, no bodies. To be run to its end once; drafts may be committed meanwhile. */
  recover(): AsyncIterable<readonly Recovered[]>;
  /** Everything said so far is on disk when this resolves. @throws SpoolError when the disk refuses; it is tried again later */
  flush(): Promise<void>;
  /** Settings as of now; `spool_mode` stays what it was. */
  adjust(settings: SpoolSettings): void;
  readonly statistics: SpoolStatistics;
}

/** The options of the spool, named as in the file. */
export interface SpoolSettings {
  /** Permission bits of its files. Needs a restart. */
  readonly spool_mode: number;
  /** False: written, not synced before the 250; a power cut may lose acknowledged mail. */
  readonly force_fsync: boolean;
  /** Bytes: longer bodies go to a file of their own while they arrive. */
  readonly large_message_threshold: number;
  /** Bodies in memory; 0: no limit. */
  readonly max_resident_messages: number;
  /** Bytes of memory for bodies, counted in whole ArrayBuffers. */
  readonly max_resident_bytes: number;
  /** Bytes: below this free space new receptions are refused as full. */
  readonly spool_min_free: number;
  /** Damaged records and files are put aside, which is what happens without it, or deleted. */
  readonly spool_damaged?: 'keep' | 'unlink';
}

export interface Draft {
  /** @returns false: pause the pipe until `drained` is called, which happens even when the draft ends before */
  append(bytes: Segments): boolean;
  /** Set by whoever was told to pause. */
  drained: (() => void) | undefined;
  readonly length: number;
  /** Puts bytes in front of all others: header fields that policy adds when the body has come. Before the commit. */
  prepend(bytes: Segments): void;
  /** For policy, before the commit: a fresh lease on what was appended so far. */
  readonly body: BodyHold;
  /** Syncs are shared. `kept`: the 250 may go out. Exactly one of the two is called, never within this call. */
  commit(envelope: Envelope, traits: BodyTraits, told: Told): void;
  discard(): void;
}

export interface Told {
  kept(at: SpoolAddress): void;
  refused(why: SpoolError): void;
}

export interface Recovered {
  readonly at: SpoolAddress;
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
  /** Indices that are already finished. */
  readonly done: readonly number[];
  /** The latest state record, if there was one. */
  readonly state: Uint8Array | undefined;
}

export interface SpoolStatistics {
  readonly segments: number;
  /** In all segments; bodies with files of their own are not counted. */
  readonly bytes: number;
  /** Live receptions. */
  readonly receptions: number;
  /** New receptions are refused for want of room. */
  readonly full: boolean;
  readonly residentBytes: number;
  readonly residentBodies: number;
  readonly syncs: number;
}

/** IMP_SPOOL_FULL is answered with 452 4.3.1, everything else with 451 4.3.0. IMP_SPOOL_LOCKED comes from opening only. */
export class SpoolError extends Error {
  readonly code: 'IMP_SPOOL_FULL' | 'IMP_SPOOL_WRITE' | 'IMP_SPOOL_READ' | 'IMP_SPOOL_LOCKED';
  constructor(code: SpoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
