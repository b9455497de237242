import type { Clock } from '../world/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Shaping } from '../shaping/index.ts';
import type { Batch, QueueItem } from './item.ts';
import type { Attempt, Judged } from './outcome.ts';
import type { Pair } from './pair.ts';
import type { Failure } from './undertaker.ts';

/** What a pair needs of the registry that holds it: the books, the log, the spool, and hands. */
export interface Office {
  readonly clock: Clock;
  readonly shaping: Shaping;
  /** Something is due in that pair: a courier is called after this turn. */
  due(pair: Pair): void;
  delivered(pair: Pair, item: QueueItem, outcome: Judged): void;
  deferred(pair: Pair, item: QueueItem, outcome: Judged): void;
  /** The end of a failed item, once its bounce is durable: books and log. */
  failed(pair: Pair, item: QueueItem, attempt: Attempt | undefined, said: Reply, expired: boolean): void;
  bury(item: QueueItem, failure: Failure, told: { buried(): void; kept(): void }): void;
  /** Retries or next attempts of a batch have changed: its state record is written after this turn. */
  amend(batch: Batch): void;
}
