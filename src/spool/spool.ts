import type { Segments } from '../base/index.ts';
import type { BodyHold, BodyTraits, Envelope, SpoolAddress } from '../message/index.ts';

/** Accepted means on disk. Knows nothing of domains, bindings or SMTP. */
export interface Spool extends AsyncDisposable {
  /** One reception: envelope and body, one record. */
  draft(): Draft;
  hold(at: SpoolAddress): BodyHold;
  /** Attempts so far and the next attempt; lost in a crash = one more attempt. */
  amend(at: SpoolAddress, state: Uint8Array): void;
  /** Those recipients (indices into the envelope) are finished. With the last one the reception is dead. */
  done(at: SpoolAddress, recipients: readonly number[]): void;
  /** Those are finished and the new message exists, in one batch: a crash can neither lose a bounce nor send it twice. */
  replace(at: SpoolAddress, recipients: readonly number[], draft: Draft, envelope: Envelope, traits: BodyTraits, told: Told): void;
  /** What an earlier process left: envelopes and states, no bodies. To be run to its end once; drafts may be committed meanwhile. */
  recover(): AsyncIterable<readonly Recovered[]>;
  /** Everything said so far is on disk when this resolves. */
  flush(): Promise<void>;
  readonly statistics: SpoolStatistics;
}

export interface Draft {
  /** @returns false: pause the pipe until `drained` is called */
  append(bytes: Segments): boolean;
  /** Set by whoever was told to pause. */
  drained: (() => void) | undefined;
  readonly length: number;
  /** For policy, before the commit. */
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
  readonly bytes: number;
  readonly residentBytes: number;
  readonly residentBodies: number;
  readonly syncs: number;
}

/** `full` is answered with 452 4.3.1, everything else with 451 4.3.0. */
export class SpoolError extends Error {
  readonly code: 'IMP_SPOOL_FULL' | 'IMP_SPOOL_WRITE' | 'IMP_SPOOL_READ';
  constructor(code: SpoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
