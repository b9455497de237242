import {
  type BindingName,
  bindingName,
  type Domain,
  type Millis,
  millis,
  parseDomain,
} from '../../../src/base/index.ts';
import type { House } from '../../../src/console/index.ts';
import type { MessageId, SpoolAddress } from '../../../src/message/index.ts';
import type { Item, Ledger, MailQueue, PairCounters } from '../../../src/queue/index.ts';
import type { Reply } from '../../../src/smtp/index.ts';

interface FakeItem extends Item {
  state: Item['state'];
}

/** A pair as a test wants it. */
export class FakeQueue implements MailQueue {
  readonly group: string;
  readonly binding: BindingName;
  readonly domain: Domain;
  readonly counters: PairCounters = { received: 0, delivered: 0, failed: 0, transient: 0 };
  readonly list: FakeItem[] = [];

  constructor(binding: string, domain: string, group = 'default') {
    this.binding = bindingName(binding);
    this.group = group;
    const name = parseDomain(domain);
    if (name === undefined) throw new Error(`${domain} is no domain`);
    this.domain = name;
  }

  get active(): number {
    return this.#count('active');
  }

  get delayed(): number {
    return this.#count('delayed');
  }

  get inFlight(): number {
    return this.#count('in flight');
  }

  /** @param more what differs from a message of sender@example.org that was never tried */
  add(
    id: string,
    state: Item['state'],
    more: {
      retries?: number;
      nextAttempt?: Millis;
      notBefore?: Millis;
      lastReply?: Reply;
      peer?: string;
      protocol?: 'rest';
    } = {},
  ): this {
    this.list.push({
      id: id as MessageId,
      state,
      recipient: 0,
      retries: more.retries ?? 0,
      nextAttempt: more.nextAttempt ?? millis(1_070_302_285_000),
      notBefore: more.notBefore,
      lastReply: more.lastReply,
      queue: this,
      message: {
        at: 7 as SpoolAddress,
        traits: { dots: false, lone: false },
        envelope: {
          batchId: id as MessageId,
          connectionId: id as MessageId,
          receivedAt: millis(1_070_244_945_500),
          reversePath: 'sender@example.org',
          recipients: [
            { id: id as MessageId, path: `to-${id.replaceAll('/', '')}@${this.domain}`, binding: this.binding },
          ],
          protocol: more.protocol ?? 'esmtp',
          peer: more.peer ?? '192.0.2.7',
          size: 11_317,
          context: { connection: {}, message: { color: 'red' } },
        },
      },
    });
    return this;
  }

  take(): readonly Item[] {
    return [];
  }

  settle(): void {
    throw new Error('a console never settles');
  }

  items(): Iterable<Item> {
    return this.list;
  }

  #count(state: Item['state']): number {
    return this.list.filter((item) => item.state === state).length;
  }
}

export class FakeQueues {
  readonly pairs: FakeQueue[] = [];
  /** What was failed: id, reply, quiet. */
  readonly failures: [string, Reply, boolean][] = [];
  books: Ledger = {
    received: 12,
    generated: 1,
    recovered: 0,
    delivered: 9,
    failed: 1,
    expired: 0,
    discarded: 0,
    queued: 3,
    difference: 0,
  };

  pair(binding: string, domain: string, group?: string): FakeQueue {
    const queue = new FakeQueue(binding, domain, group);
    this.pairs.push(queue);
    return queue;
  }

  get ledger(): Ledger {
    return this.books;
  }

  all(): Iterable<MailQueue> {
    return this.pairs;
  }

  find(binding: BindingName, domain: Domain): MailQueue | undefined {
    return this.pairs.find((queue) => queue.binding === binding && queue.domain === domain);
  }

  item(id: MessageId): Item | undefined {
    return this.pairs.flatMap((queue) => queue.list).find((item) => item.id === id);
  }

  flush(queue: MailQueue): number {
    const delayed = [...queue.items()].filter((item) => item.state === 'delayed');
    for (const item of delayed) this.#fake(item).state = 'active';
    return delayed.length;
  }

  retry(item: Item): boolean {
    if (item.state === 'in flight' || item.notBefore !== undefined) return false;
    this.#fake(item).state = 'active';
    return true;
  }

  fail(item: Item, reply: Reply, quiet: boolean): boolean {
    if (item.state === 'in flight') return false;
    const { list } = this.#queue(item);
    list.splice(list.indexOf(this.#fake(item)), 1);
    this.#fake(item).state = 'gone';
    this.failures.push([item.id, reply, quiet]);
    return true;
  }

  #queue(item: Item): FakeQueue {
    const found = this.pairs.find((queue) => queue === item.queue);
    if (found === undefined) throw new Error('an item of another queue');
    return found;
  }

  #fake(item: Item): FakeItem {
    return item as FakeItem;
  }
}

// The compiler checks that the fake is what commands want.
export const asQueues = (queues: FakeQueues): House['queues'] => queues;
