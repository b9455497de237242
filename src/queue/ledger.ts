import type { Ledger } from './queues.ts';

/**
 * The books. Each counter is moved in the function that moves the message; `queued` is counted afresh from the queues,
 * so that a message that slipped through shows as a difference.
 */
export class Books implements Ledger {
  received = 0;
  generated = 0;
  recovered = 0;
  delivered = 0;
  failed = 0;
  expired = 0;
  discarded = 0;
  readonly #count: () => number;

  constructor(count: () => number) {
    this.#count = count;
  }

  get queued(): number {
    return this.#count();
  }

  get difference(): number {
    const { received, generated, recovered, delivered, failed, expired, discarded, queued } = this;
    return received + generated + recovered - delivered - failed - expired - discarded - queued;
  }
}
