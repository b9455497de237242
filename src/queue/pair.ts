import { type BindingName, type Domain, Heap, type Millis, millis, Ring } from '../base/index.ts';
import { type Gate, gate, PairLimits } from '../shaping/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import { QueueItem } from './item.ts';
import type { Office } from './office.ts';
import {
  maxRecipientsPerBatch,
  maxRetries,
  maxRetryInterval,
  messageExpiration,
  neverAttemptExpiredMessages,
  neverRetry,
  retryInterval,
} from './options.ts';
import type { Judged, Outcome } from './outcome.ts';
import type { Item, MailQueue, PairCounters } from './queues.ts';
import { afterFailure } from './retry.ts';

const EXPIRED_UNTRIED = reply(554, '5.4.5', '[internal] Delivery not attempted (message expired)');
const OPEN = gate('open');
/** A timer never sleeps longer: the wall clock, which retry times are on, may be set. */
const LONGEST_SLEEP = 60_000;
/** How long a failed message waits when its bounce could not be stored. */
const BURIAL_RETRY = 60_000;

/**
 * One (binding, routing domain) with its two queues. Active is a ring in the order in which messages became due,
 * delayed a heap by next attempt. An item in flight is in neither.
 */
export class Pair implements MailQueue {
  readonly group: string;
  readonly binding: BindingName;
  readonly domain: Domain;
  readonly limits: PairLimits;
  readonly counters: PairCounters = { received: 0, delivered: 0, failed: 0, transient: 0 };
  readonly #office: Office;
  readonly #ring = new Ring<QueueItem>();
  readonly #heap = new Heap<QueueItem>(
    (one, other) => one.nextAttempt < other.nextAttempt,
    (item, position) => {
      item.heapPosition = position;
    },
  );
  readonly #flying = new Set<QueueItem>();
  #active = 0;
  #sweepTimer: Disposable | undefined;
  #sweepDue = Number.POSITIVE_INFINITY;
  #holdTimer: Disposable | undefined;
  /** Why active messages are not being delivered, and since when; the gate is `open` when nothing holds them. */
  heldBy: Gate = OPEN;
  heldSince: Millis = millis(0);
  heldUntil: Millis = millis(0);
  /** Last time anything happened here, on the clock's scale: idle pairs are forgotten. */
  touched: Millis;

  constructor(office: Office, group: string, binding: BindingName, domain: Domain) {
    this.#office = office;
    this.group = group;
    this.binding = binding;
    this.domain = domain;
    this.touched = office.clock.now();
    this.limits = new PairLimits(office.shaping, { group, binding, domain }, () => office.due(this));
  }

  get active(): number {
    return this.#active;
  }

  get delayed(): number {
    return this.#heap.size;
  }

  get inFlight(): number {
    return this.#flying.size;
  }

  /** Nothing in it, nothing connected: it may be forgotten. */
  get idle(): boolean {
    return this.#active === 0 && this.#heap.size === 0 && this.#flying.size === 0 && this.limits.open === 0;
  }

  /** A new or recovered item: active when due, else delayed. */
  add(item: QueueItem, date: Millis): void {
    this.touched = this.#office.clock.now();
    if (item.nextAttempt <= date) this.#activate(item);
    else this.#delay(item, item.nextAttempt);
  }

  take(most: number): readonly Item[] {
    const first = this.#nextDue();
    if (first === undefined) return [];
    const items = [first];
    this.#fly(first);
    const batch = Math.min(most, this.limits.view.get(maxRecipientsPerBatch) || most);
    while (items.length < batch) {
      const following = this.#ring.peek();
      if (following === undefined || following.batch !== first.batch || following.place !== 'active') break;
      this.#ring.shift();
      following.inRing = false;
      items.push(following);
      this.#fly(following);
    }
    this.heldBy = OPEN;
    return items;
  }

  settle(given: Item, outcome: Outcome): void {
    const item = own(given);
    if (!this.#flying.delete(item)) throw new Error(`${item.id} is settled but was not in flight`);
    item.place = 'gone';
    switch (outcome.kind) {
      case 'delivered':
        this.counters.delivered++;
        this.#office.delivered(this, item, outcome);
        return;
      case 'failed':
        this.#bury(item, outcome, outcome.reply, false, false);
        return;
      case 'deferred':
        this.#defer(item, outcome);
        return;
      case 'returned':
        this.#activate(item, true);
        this.hold(outcome.gate, outcome.until);
        return;
    }
  }

  /** Says why active messages wait, and asks for hands again at `until` (the clock's scale; Infinity: somebody will). */
  hold(why: Gate, until: Millis): void {
    const now = this.#office.clock.now();
    if (this.heldBy !== why) {
      this.heldBy = why;
      this.heldSince = now;
    }
    this.heldUntil = until;
    this.#holdTimer?.[Symbol.dispose]();
    this.#holdTimer = undefined;
    if (Number.isFinite(until)) {
      this.#holdTimer = this.#office.clock.at(millis(Math.max(until, now + 1)), () => {
        this.#holdTimer = undefined;
        this.#office.due(this);
      });
    }
  }

  /** Nothing holds the active messages any more. */
  release(): void {
    this.heldBy = OPEN;
    this.#holdTimer?.[Symbol.dispose]();
    this.#holdTimer = undefined;
  }

  /** Every active message fails transiently at once: nobody reaches the domain (spec/delivery 3.6). @returns how many */
  delayAll(outcome: Judged): number {
    let count = 0;
    // Those that come due again meanwhile stand behind the ones counted now.
    for (let left = this.#active; left > 0; left--) {
      const item = this.#nextDue();
      if (item === undefined) break;
      item.place = 'gone';
      this.#active--;
      this.#defer(item, outcome);
      count++;
    }
    return count;
  }

  /** All delayed messages are due now. @returns how many */
  flush(): number {
    const count = this.#heap.size;
    const now = this.#office.clock.date();
    for (let item = this.#heap.pop(); item !== undefined; item = this.#heap.pop()) {
      item.nextAttempt = now;
      this.#activate(item);
    }
    if (count > 0) this.#office.due(this);
    return count;
  }

  /** @returns false while the item is being delivered */
  retry(given: Item): boolean {
    const item = own(given);
    if (item.place === 'active') return true;
    if (item.place !== 'delayed') return false;
    this.#heap.remove(item.heapPosition);
    item.nextAttempt = this.#office.clock.date();
    this.#activate(item);
    this.#office.due(this);
    return true;
  }

  /** @returns false while the item is being delivered */
  fail(given: Item, outcome: Judged, quiet: boolean): boolean {
    const item = own(given);
    if (item.place === 'delayed') this.#heap.remove(item.heapPosition);
    else if (item.place === 'active') this.#active--;
    else return false;
    item.place = 'gone';
    this.#bury(item, outcome, outcome.reply, false, quiet);
    return true;
  }

  *items(): Iterable<Item> {
    for (const item of this.#ring) if (item.place === 'active') yield item;
    yield* [...this.#heap].sort((one, other) => one.nextAttempt - other.nextAttempt);
    yield* this.#flying;
  }

  close(): void {
    this.#sweepTimer?.[Symbol.dispose]();
    this.#holdTimer?.[Symbol.dispose]();
  }

  #nextDue(): QueueItem | undefined {
    for (;;) {
      const item = this.#ring.shift();
      if (item === undefined) return undefined;
      item.inRing = false;
      // A stale entry: it was failed or delayed while it stood here.
      if (item.place !== 'active') continue;
      const view = this.limits.view;
      if (view.get(neverAttemptExpiredMessages)) {
        const deadline = item.message.envelope.receivedAt + view.get(messageExpiration) * 1000;
        if (this.#office.clock.date() >= deadline) {
          this.#active--;
          item.place = 'gone';
          this.#bury(item, undefined, EXPIRED_UNTRIED, true, false);
          continue;
        }
      }
      return item;
    }
  }

  #activate(item: QueueItem, first = false): void {
    item.place = 'active';
    this.#active++;
    // An entry that is still there stands earlier than a new one would: it becomes valid again.
    if (item.inRing) return;
    item.inRing = true;
    if (first) this.#ring.unshift(item);
    else this.#ring.push(item);
  }

  #fly(item: QueueItem): void {
    item.place = 'in flight';
    this.#active--;
    this.#flying.add(item);
  }

  #delay(item: QueueItem, until: Millis): void {
    item.place = 'delayed';
    item.nextAttempt = until;
    this.#heap.push(item);
    this.#arm();
  }

  #defer(item: QueueItem, outcome: Judged): void {
    const { clock } = this.#office;
    const view = this.limits.view;
    const date = clock.date();
    const decision = afterFailure(
      {
        retryInterval: view.get(retryInterval),
        maxRetryInterval: view.get(maxRetryInterval),
        maxRetries: view.get(maxRetries),
        messageExpiration: view.get(messageExpiration),
        neverRetry: view.get(neverRetry),
      },
      item.retries,
      item.message.envelope.receivedAt,
      date,
    );
    if (decision.kind === 'give up') {
      this.#bury(item, outcome, decision.reply, decision.expired, false);
      return;
    }
    this.counters.transient++;
    item.lastReply = outcome.reply;
    this.#office.deferred(this, item, outcome);
    item.retries++;
    this.#delay(item, decision.at);
    this.#office.amend(item.batch);
  }

  #bury(item: QueueItem, outcome: Judged | undefined, said: Reply, expired: boolean, quiet: boolean): void {
    item.place = 'burying';
    item.lastReply = said;
    this.#flying.add(item);
    this.#office.bury(
      item,
      {
        recipient: item.recipient,
        reply: said,
        rawReply: outcome?.reply ?? said,
        attempt: outcome?.attempt,
        quiet,
      },
      {
        buried: () => {
          this.#flying.delete(item);
          item.place = 'gone';
          this.counters.failed++;
          this.#office.failed(this, item, outcome?.attempt, said, expired);
        },
        kept: () => {
          this.#flying.delete(item);
          item.place = 'gone';
          this.#delay(item, millis(this.#office.clock.date() + BURIAL_RETRY));
        },
      },
    );
  }

  /** One timer for the delayed queue, at its earliest next attempt. */
  #arm(): void {
    const first = this.#heap.peek();
    if (first === undefined || first.nextAttempt >= this.#sweepDue) return;
    this.#sweepTimer?.[Symbol.dispose]();
    const { clock } = this.#office;
    const wait = Math.min(Math.max(first.nextAttempt - clock.date(), 0), LONGEST_SLEEP);
    this.#sweepDue = first.nextAttempt;
    this.#sweepTimer = clock.at(millis(clock.now() + wait), () => this.#sweep());
  }

  #sweep(): void {
    this.#sweepTimer = undefined;
    this.#sweepDue = Number.POSITIVE_INFINITY;
    const date = this.#office.clock.date();
    let moved = 0;
    for (let first = this.#heap.peek(); first !== undefined && first.nextAttempt <= date; first = this.#heap.peek()) {
      this.#heap.pop();
      this.#activate(first);
      moved++;
    }
    this.#arm();
    if (moved > 0) this.#office.due(this);
  }
}

/** Everything that a pair hands out is of this class; what else comes back is a mistake of ours. */
function own(item: Item): QueueItem {
  if (item instanceof QueueItem) return item;
  throw new TypeError('an item that no pair has handed out');
}
