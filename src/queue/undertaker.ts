import type { Millis } from '../base/index.ts';
import type { Message } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Attempt, Judged } from './outcome.ts';

/** One recipient that will not be tried again. */
export interface Failure {
  readonly recipient: number;
  /** What is logged. */
  readonly reply: Reply;
  /** What the peer really said, when `reply` is our own verdict (expiry, too many retries). */
  readonly rawReply: Reply;
  readonly attempt: Attempt | undefined;
  /** An operator asked for no bounce. */
  readonly quiet: boolean;
}

/** A recipient whose sender asked to be told, and who has not failed (RFC 3461 §4.1). */
export interface Notice {
  readonly recipient: number;
  readonly action: 'relayed' | 'delivered' | 'delayed';
  readonly outcome: Judged;
  /** `delayed`: until when it will be tried. Milliseconds since the epoch. */
  readonly until?: Millis;
}

/**
 * Declared here, built in bounce: ends failed recipients, with a DSN in their place where one is due, in one spool
 * batch.
 */
export interface Undertaker {
  /** `buried` once that is durable; `kept` when it could not be stored: the recipients stay and are tried again. */
  bury(message: Message, failed: readonly Failure[], told: { buried(): void; kept(): void }): void;
  /**
   * Tells the sender of good news, or of patience: what is delivered is finished in the spool together with the notice,
   * or without it when it cannot be stored; what is delayed stays.
   */
  tell(message: Message, notices: readonly Notice[]): void;
}
