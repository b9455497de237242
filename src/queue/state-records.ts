import { millis } from '../base/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Clock } from '../world/index.ts';
import type { Batch, QueueItem } from './item.ts';
import { type RetryState, writeRetryState } from './retry-state.ts';

/** A record speaks of all unfinished recipients of its message: of more than these it is not written in each turn. */
const MANY = 250;
/** What a crash may forget of a message with many: one more attempt at those that failed since. */
const PAUSE = 1000;

/** Writes the state records of messages whose retries have changed, once for all that changes together. */
export class StateRecords {
  readonly #clock: Clock;
  readonly #spool: Pick<Spool, 'amend'>;
  readonly #stateOf: (item: QueueItem) => RetryState;
  readonly #complain: (batch: Batch, what: string, error: unknown) => void;
  /** To be written after this turn. */
  readonly #soon = new Set<Batch>();
  readonly #later = new Set<Batch>();
  #timer: Disposable | undefined;

  constructor(
    clock: Clock,
    spool: Pick<Spool, 'amend'>,
    stateOf: (item: QueueItem) => RetryState,
    complain: (batch: Batch, what: string, error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#spool = spool;
    this.#stateOf = stateOf;
    this.#complain = complain;
  }

  amend(batch: Batch): void {
    if (batch.left > MANY) {
      this.#later.add(batch);
      this.#timer ??= this.#clock.at(millis(this.#clock.now() + PAUSE), () => {
        this.#timer = undefined;
        this.#write(this.#later);
      });
      return;
    }
    if (this.#soon.size === 0) this.#clock.defer(() => this.#write(this.#soon));
    this.#soon.add(batch);
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#write(this.#soon);
    this.#write(this.#later);
  }

  #write(amended: Set<Batch>): void {
    const batches = [...amended];
    amended.clear();
    for (const batch of batches) {
      const states = batch.items.map(this.#stateOf).filter(({ retries, decided }) => retries > 0 || decided);
      if (states.length === 0) continue;
      try {
        this.#spool.amend(batch.at, writeRetryState(states));
      } catch (error) {
        this.#complain(batch, 'its retries are not written', error);
      }
    }
  }
}
