import type { Clock } from '../world/index.ts';
import type { Batch } from './item.ts';
import type { Failure, Notice, Undertaker } from './undertaker.ts';

export interface Told {
  buried(): void;
  kept(): void;
}

/** What the undertaker is to be told: recipients of one message with the same fate in one turn share a DSN (spec/delivery 9.1). */
export class Endings {
  readonly #clock: Clock;
  readonly #undertaker: Undertaker;
  readonly #complain: (batch: Batch, what: string, error: unknown) => void;
  readonly #burials = new Map<Batch, { readonly failure: Failure; readonly told: Told }[]>();
  readonly #notices = new Map<Batch, Notice[]>();

  /** @param complain  something could not be told */
  constructor(clock: Clock, undertaker: Undertaker, complain: (batch: Batch, what: string, error: unknown) => void) {
    this.#clock = clock;
    this.#undertaker = undertaker;
    this.#complain = complain;
  }

  bury(batch: Batch, failure: Failure, told: Told): void {
    if (this.#burials.size === 0) this.#clock.defer(() => this.holdBurials());
    const burial = this.#burials.get(batch);
    if (burial === undefined) this.#burials.set(batch, [{ failure, told }]);
    else burial.push({ failure, told });
  }

  tell(batch: Batch, notice: Notice): void {
    if (this.#notices.size === 0) this.#clock.defer(() => this.tellAll());
    const known = this.#notices.get(batch);
    if (known === undefined) this.#notices.set(batch, [notice]);
    else known.push(notice);
  }

  holdBurials(): void {
    const burials = [...this.#burials];
    this.#burials.clear();
    for (const [batch, burial] of burials) {
      const kept = (): void => {
        for (const each of burial) each.told.kept();
      };
      try {
        this.#undertaker.bury(
          batch.message,
          burial.map((each) => each.failure),
          {
            buried: () => {
              for (const each of burial) each.told.buried();
            },
            kept,
          },
        );
      } catch (error) {
        this.#complain(batch, 'its failed recipients stay queued', error);
        kept();
      }
    }
  }

  tellAll(): void {
    const notices = [...this.#notices];
    this.#notices.clear();
    for (const [batch, told] of notices) {
      try {
        this.#undertaker.tell(batch.message, told);
      } catch (error) {
        this.#complain(batch, 'its sender is not told', error);
      }
    }
  }
}
