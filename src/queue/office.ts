import type { Millis } from '../base/index.ts';
import type { Gate, PairLimits, Shaping } from '../shaping/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Clock } from '../world/index.ts';
import type { Batch, QueueItem } from './item.ts';
import type { Attempt, Judged } from './outcome.ts';
import type { MailQueue } from './queues.ts';
import type { Failure } from './undertaker.ts';

/** A queue that can be put before a courier. */
export interface Servable extends MailQueue {
  readonly limits: PairLimits;
  hold(why: Gate, until: Millis): void;
  /** What is due fails at once when its domain is a black hole, or policy refused it. @returns whether nothing is left */
  swallow(): boolean;
}

/** What a pair needs of the registry that holds it: the books, the log, the spool, and hands. */
export interface Office {
  readonly clock: Clock;
  readonly shaping: Shaping;
  /** Something is due in that queue: a courier is called after this turn. */
  due(queue: Servable): void;
  delivered(queue: MailQueue, item: QueueItem, outcome: Judged): void;
  deferred(queue: MailQueue, item: QueueItem, outcome: Judged): void;
  /** The end of a failed item, once its bounce is durable: books and log. */
  failed(queue: MailQueue, item: QueueItem, attempt: Attempt | undefined, said: Reply, expired: boolean): void;
  /** The sender asked to be told of delays. */
  delaying(item: QueueItem, outcome: Judged, until: Millis): void;
  bury(item: QueueItem, failure: Failure, told: { buried(): void; kept(): void }): void;
  /** It will not be needed soon: body and envelope leave the memory. */
  swapOut(batch: Batch): void;
  /** Retries or next attempts of a batch have changed: its state record is written soon. */
  amend(batch: Batch): void;
}
