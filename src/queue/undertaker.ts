import type { Message } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Attempt } from './outcome.ts';

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

/**
 * Declared here, built in bounce: ends failed recipients, with a DSN in their place where one is due, in one spool
 * batch.
 */
export interface Undertaker {
  /** `buried` once that is durable; `kept` when it could not be stored: the recipients stay and are tried again. */
  bury(message: Message, failed: readonly Failure[], told: { buried(): void; kept(): void }): void;
}
