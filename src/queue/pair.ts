import { type BindingName, type Domain, Heap, type Millis, millis } from '../base/index.ts';
import type { MessageId } from '../message/index.ts';
import { type Gate, gate, PairLimits } from '../shaping/index.ts';
import { reply } from '../smtp/index.ts';
import { ActiveQueue } from './active-queue.ts';
import { ageOf, earlier, inOrder, lifetimeOf, own, type QueueItem } from './item.ts';
import { delayIsDue } from './notify.ts';
import type { Office } from './office.ts';
import {
  blackhole,
  maxRecipientsPerBatch,
  maxResidentActiveQueue,
  maxRetries,
  maxRetryInterval,
  messageExpiration,
  neverAttemptExpiredMessages,
  neverRetry,
  retryInterval,
} from './options.ts';
import { type Decided, failed, type Judged, type Outcome, type Verdict } from './outcome.ts';
import type { Item, MailQueue, PairCounters } from './queues.ts';
import { afterFailure, TOO_OLD } from './retry.ts';

const EXPIRED_UNTRIED = reply(554, '5.4.5', '[internal] Delivery not attempted (message expired)');
const BLACKHOLED = reply(554, '5.7.0', '[internal] Blackholed');
const OPEN = gate('open');
/** Behind these gates nothing moves at all, and nobody knows for how long. */
const DEAD_ENDS: ReadonlySet<Gate> = new Set(
  (['suspended', 'DNS', 'no usable host', 'policy wait'] as const).map(gate),
);
/** Any other gate that has let nothing through for so long is a dead end as well. */
const LONGEST_HOLD = 3_600_000;
/** A timer never sleeps longer: the wall clock, which retry times are on, may be set. */
const LONGEST_SLEEP = 60_000;
/** Messages that are moved in one turn. */
const AT_ONCE = 1000;
/** How long a failed message waits when its bounce could not be stored. */
const BURIAL_RETRY = 60_000;

/**
 * One (binding, routing domain) with its two queues. Active is in the order in which messages became due, delayed a
 * heap by next attempt. An item in flight is in neither.
 */
export class Pair implements MailQueue {
  readonly binding: BindingName;
  readonly domain: Domain;
  readonly limits: PairLimits;
  readonly counters: PairCounters = { received: 0, delivered: 0, failed: 0, transient: 0 };
  readonly #office: Office;
  readonly #due = new ActiveQueue();
  readonly #heap = new Heap<QueueItem>(earlier, (item, position) => {
    item.heapPosition = position;
  });
  readonly #flying = new Set<QueueItem>();
  /** Of messages that have failed and whose bounce could not be stored: they are buried again, and never attempted. */
  readonly #verdicts = new Map<QueueItem, Verdict>();
  /** No active message is older; milliseconds since the epoch. */
  #oldest = Number.POSITIVE_INFINITY;
  #sweepTimer: Disposable | undefined;
  #sweepDue = Number.POSITIVE_INFINITY;
  /** Many messages are dealt with, some in each turn. */
  #sweeping = false;
  #closed = false;
  #holdTimer: Disposable | undefined;
  #holdDue = Number.POSITIVE_INFINITY;
  /** Why active messages are not being delivered, and since when; the gate is `open` when nothing holds them. */
  heldBy: Gate = OPEN;
  heldSince: Millis = millis(0);
  heldUntil: Millis = millis(0);
  /** Last time anything happened here, on the clock's scale: idle pairs are forgotten. */
  touched: Millis;

  constructor(office: Office, binding: BindingName, domain: Domain) {
    this.#office = office;
    this.binding = binding;
    this.domain = domain;
    this.touched = office.clock.now();
    this.limits = new PairLimits(office.shaping, { binding, domain }, () => office.due(this));
  }

  get group(): string {
    return this.limits.group;
  }

  get active(): number {
    return this.#due.size;
  }

  get delayed(): number {
    return this.#heap.size;
  }

  get inFlight(): number {
    return this.#flying.size;
  }

  /** Nothing in it, nothing connected: it may be forgotten. */
  get idle(): boolean {
    return this.active + this.delayed + this.inFlight + this.limits.open === 0;
  }

  /** A new or recovered item: active when due, else delayed. */
  add(item: QueueItem, date: Millis): void {
    this.touched = this.#office.clock.now();
    if (item.nextAttempt <= date) this.#activate(item);
    else this.#delay(item, item.nextAttempt);
  }

  /** This recipient shall not have it: it fails, and its sender is told unless `quiet`. */
  refuse(item: QueueItem, decided: Decided): void {
    this.#bury(item, { ...decided, outcome: undefined });
  }

  /** That an item has failed, as long as its bounce could not be stored. */
  decided(item: QueueItem): Decided | undefined {
    return this.#verdicts.get(item);
  }

  /** Delayed items that are due exactly then; the queue may change between two of them. */
  *delayedUntil(time: Millis): Iterable<Item> {
    for (const item of [...this.#heap]) if (item.place === 'delayed' && item.nextAttempt === time) yield item;
  }

  swallow(): boolean {
    for (const [item, verdict] of this.#verdicts) {
      if (item.place !== 'active') continue;
      this.#due.remove(item);
      this.#bury(item, verdict);
    }
    if (this.#due.size > 0 && this.limits.view.get(blackhole) !== 'false')
      this.#forMany([...this.#due], (item) => this.#bury(item, failed(BLACKHOLED)));
    return this.#due.size === 0 || this.limits.view.get(blackhole) !== 'false';
  }

  take(most: number): readonly Item[] {
    const first = this.#nextDue();
    if (first === undefined) return [];
    const items = [first];
    this.#fly(first);
    const batch = Math.min(most, this.limits.view.get(maxRecipientsPerBatch) || most);
    while (items.length < batch) {
      const next = this.#due.peek();
      if (next?.batch !== first.batch || this.#verdicts.has(next)) break;
      const following = this.#due.shift();
      if (following === undefined) break;
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
    item.batch.flying--;
    this.touched = this.#office.clock.now();
    switch (outcome.kind) {
      case 'delivered':
        this.counters.delivered++;
        this.#office.delivered(this, item, outcome);
        return;
      case 'failed':
        this.#bury(item, { ...failed(outcome.reply), outcome });
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
    if (this.heldBy !== why) {
      this.heldBy = why;
      this.heldSince = this.#office.clock.now();
    }
    this.heldUntil = until;
    this.comeBack(until);
  }

  /** Asks for hands again then, if not earlier. */
  comeBack(until: Millis): void {
    // An earlier call stays as it is: whoever asked for it meant something else, and asking once more costs little.
    if (until >= this.#holdDue) return;
    const { clock } = this.#office;
    this.#holdTimer?.[Symbol.dispose]();
    this.#holdDue = until;
    this.#holdTimer = clock.at(millis(Math.max(until, clock.now() + 1)), () => {
      this.#holdTimer = undefined;
      this.#holdDue = Number.POSITIVE_INFINITY;
      this.#office.due(this);
    });
  }

  /** Nothing holds the active messages any more. */
  release(): void {
    this.heldBy = OPEN;
  }

  /**
   * Active messages that nobody can try are not tried at their deadline either: those that are over it fail (spec
   * 3.8: expiry keeps running). To be called every few seconds.
   */
  expireHeld(): void {
    if (this.#due.size === 0 || this.heldBy === OPEN || this.#sweeping) return;
    const { clock } = this.#office;
    if (!DEAD_ENDS.has(this.heldBy) && clock.now() - this.heldSince < LONGEST_HOLD) return;
    const { view } = this.limits;
    const date = clock.date();
    const expiration = view.get(messageExpiration);
    if (this.#oldest > date - expiration * 1000) return;
    const old: QueueItem[] = [];
    let oldest = Number.POSITIVE_INFINITY;
    for (const item of this.#due) {
      if (item.batch.deadline(expiration) <= date) old.push(item);
      else oldest = Math.min(oldest, ageOf(item));
    }
    this.#oldest = oldest;
    const said = view.get(neverAttemptExpiredMessages) ? EXPIRED_UNTRIED : TOO_OLD;
    this.#forMany(old, (item) => this.#bury(item, { ...failed(said), expired: true }));
  }

  /** All that are active now fail transiently: nobody reaches the domain (spec/delivery 3.6). */
  delayAll(outcome: Judged): void {
    this.#forMany([...this.#due], (item) => this.#defer(item, outcome));
  }

  /** So many in each turn, those that are still active then: a queue of a million must not stop the loop. */
  #forMany(items: readonly QueueItem[], run: (item: QueueItem) => void): void {
    if (this.#sweeping || items.length === 0) return;
    const { clock } = this.#office;
    let at = 0;
    const some = (): void => {
      if (this.#closed) return;
      for (const end = Math.min(at + AT_ONCE, items.length); at < end; at++) {
        const item = items[at];
        if (item?.place !== 'active') continue;
        this.#due.remove(item);
        run(item);
      }
      this.#sweeping = at < items.length;
      if (this.#sweeping) clock.at(clock.now(), some);
    };
    some();
  }

  /** All delayed messages are due now, but for those that must not go out yet. @returns how many */
  flush(): number {
    const now = this.#office.clock.date();
    const due = [...inOrder([...this.#heap].filter((item) => (item.batch.notBefore ?? 0) <= now))];
    for (const item of due) {
      this.#heap.remove(item.heapPosition);
      item.nextAttempt = now;
      this.#activate(item);
    }
    if (due.length > 0) this.#office.due(this);
    return due.length;
  }

  /** @returns false while the item is being delivered, and before its own time */
  retry(given: Item): boolean {
    const item = own(given);
    if (item.place === 'active') return true;
    if (item.place !== 'delayed' || (item.notBefore ?? 0) > this.#office.clock.date()) return false;
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
    else if (item.place === 'active') this.#due.remove(item);
    else return false;
    item.place = 'gone';
    this.#bury(item, { ...failed(outcome.reply), outcome, quiet });
    return true;
  }

  *items(): Iterable<Item> {
    yield* this.#due;
    yield* inOrder(this.#heap);
    yield* this.#flying;
  }

  /** Bodies and envelopes of active messages leave memory; those of delayed ones have left. */
  swapOut(): void {
    for (const item of this.#due) this.#office.swapOut(item.batch);
  }

  /** @returns the item with that id, wherever it is */
  item(id: MessageId): Item | undefined {
    for (const items of [this.#due, this.#heap, this.#flying])
      for (const item of items) if (item.batch.mentions(id) && item.id === id) return item;
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#sweepTimer?.[Symbol.dispose]();
    this.#holdTimer?.[Symbol.dispose]();
    this.limits.close();
  }

  #nextDue(): QueueItem | undefined {
    for (;;) {
      const item = this.#due.shift();
      if (item === undefined) return undefined;
      const verdict = this.#verdicts.get(item);
      if (verdict !== undefined) {
        this.#bury(item, verdict);
        continue;
      }
      const { view } = this.limits;
      if (!view.get(neverAttemptExpiredMessages)) return item;
      if (this.#office.clock.date() < item.batch.deadline(view.get(messageExpiration))) return item;
      this.#bury(item, { ...failed(EXPIRED_UNTRIED), expired: true });
    }
  }

  #deadline({ batch }: QueueItem): Millis {
    return millis(batch.receivedAt + this.limits.view.get(messageExpiration) * 1000);
  }

  #activate(item: QueueItem, first = false): void {
    const age = ageOf(item);
    if (age < this.#oldest || this.#due.size === 0) this.#oldest = age;
    this.#due.add(item, first);
    const resident = this.limits.view.get(maxResidentActiveQueue);
    // What is suspended will not be needed soon.
    if ((resident >= 0 && this.#due.size > resident) || this.limits.suspended) this.#office.swapOut(item.batch);
  }

  #fly(item: QueueItem): void {
    item.place = 'in flight';
    item.batch.unpack();
    item.batch.flying++;
    this.#flying.add(item);
  }

  #delay(item: QueueItem, until: Millis): void {
    item.place = 'delayed';
    item.nextAttempt = until;
    this.#heap.push(item);
    this.#office.swapOut(item.batch);
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
        messageExpiration: lifetimeOf(item, view.get(messageExpiration)),
        neverRetry: view.get(neverRetry),
      },
      item.retries,
      item.batch.receivedAt,
      date,
    );
    if (decision.kind === 'give up') {
      this.#bury(item, { ...failed(decision.reply), outcome, expired: decision.expired });
      return;
    }
    this.counters.transient++;
    item.lastReply = outcome.reply;
    this.#office.deferred(this, item, outcome);
    if (delayIsDue(item, date, decision.at)) this.#office.delaying(item, outcome, this.#deadline(item));
    item.retries++;
    this.#delay(item, decision.at);
    this.#office.amend(item.batch);
  }

  #bury(item: QueueItem, verdict: Verdict): void {
    const { outcome, said, expired, quiet } = verdict;
    item.place = 'burying';
    const rawReply = outcome?.reply ?? item.lastReply ?? said;
    item.lastReply = said;
    this.#flying.add(item);
    this.#office.bury(
      item,
      { recipient: item.recipient, reply: said, rawReply, attempt: outcome?.attempt, quiet },
      {
        buried: () => {
          if (item.place !== 'burying') return;
          this.#flying.delete(item);
          this.#verdicts.delete(item);
          item.place = 'gone';
          this.counters.failed++;
          this.#office.failed(this, item, outcome?.attempt, said, expired);
        },
        kept: () => {
          if (item.place !== 'burying') return;
          this.#flying.delete(item);
          item.place = 'gone';
          const known = this.#verdicts.get(item)?.said === said;
          this.#verdicts.set(item, verdict);
          this.#delay(item, millis(this.#office.clock.date() + BURIAL_RETRY));
          // Once only: when it is the room on the disk that is wanting, it must not be used up by saying so each minute.
          if (!known) this.#office.amend(item.batch);
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
      // The rest comes with the next turn.
      if (moved === AT_ONCE) break;
      this.#heap.pop();
      this.#activate(first);
      moved++;
    }
    this.#arm();
    if (moved > 0) this.#office.due(this);
  }
}
