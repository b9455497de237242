import type { MailQueue } from '../queue/index.ts';

/** The largest of many queues, without keeping many: the list is cut whenever it has grown to twice its limit. */
export class Largest {
  readonly #limit: number;
  readonly #kept: MailQueue[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(queue: MailQueue): void {
    this.#kept.push(queue);
    if (this.#kept.length >= this.#limit * 2 + 1000) this.sorted();
  }

  sorted(): readonly MailQueue[] {
    this.#kept.sort(
      (one, other) => other.active + other.delayed - (one.active + one.delayed) || (one.domain < other.domain ? -1 : 1),
    );
    if (this.#kept.length > this.#limit) this.#kept.length = this.#limit;
    return this.#kept;
  }
}

/** A queue under the names of `GET /stats/queues/mailq` (spec/http-api 10). */
export function queueRow({ group, binding, domain, active, delayed, counters }: MailQueue) {
  return {
    group,
    binding,
    domain,
    aq: active,
    dq: delayed,
    receptions: counters.received,
    permfails: counters.failed,
    transfails: counters.transient,
    deliveries: counters.delivered,
  };
}
