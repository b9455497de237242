import {
  type BindingName,
  bindingName,
  type Domain,
  fromUtf8Bytes,
  inMillis,
  type Millis,
  millis,
  parseDomain,
  Ring,
} from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { AttemptEvent, Events } from '../events/index.ts';
import type { MessageId } from '../message/index.ts';
import { type Message, nullId } from '../message/index.ts';
import { gate, type Shaping } from '../shaping/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Recovered, Spool } from '../spool/index.ts';
import type { Clock } from '../world/index.ts';
import { Endings, type Told } from './endings.ts';
import { EnvelopeStore } from './envelope-store.ts';
import { Batch, QueueItem } from './item.ts';
import { Books } from './ledger.ts';
import type { Office, Servable } from './office.ts';
import { gateway, maxRetryInterval, messageExpiration } from './options.ts';
import type { Attempt, Judged } from './outcome.ts';
import { Pair } from './pair.ts';
import type { Courier, Item, MailQueue, Queues } from './queues.ts';
import { type RetryState, readRetryState } from './retry-state.ts';
import { Serving } from './serving.ts';
import { StateRecords } from './state-records.ts';
import type { Failure, Undertaker } from './undertaker.ts';

/** Where the logs say that no session was involved. */
const STAGE_UNKNOWN = 22;
/** Pairs without mail or connections are forgotten after this long, as Momentum forgets domain records. */
const PAIR_LIFETIME = 1800_000;
const HOUSEKEEPING = 60_000;
/** How often messages are looked for that expire while something holds them. */
const EXPIRY_CHECK = 15_000;
/** A pair whose service failed is tried again after this long. */
const AFTER_TROUBLE = 60_000;
const OPEN = gate('open');
/** Recipient domains whose pair is remembered, so that an address costs one look-up. */
const MOST_KNOWN = 100_000;
/** Batches whose envelopes are kept as objects; beyond it the oldest are packed. */
const MOST_UNPACKED = 256;
const DEFAULT = bindingName('default');
/** What cannot be a domain waits under this name, fails there, and is bounced like any other. */
const NO_DOMAIN = 'invalid' as Domain;

export interface QueueParts {
  readonly clock: Clock;
  readonly spool: Spool;
  readonly events: Events;
  readonly shaping: Shaping;
  readonly current: () => Generation;
  readonly undertaker: Undertaker;
  /** Class of a failure for the logs (built in bounce). */
  readonly classify: (reply: Reply, kind: 'transient' | 'permanent', stage: number) => number;
}

/** All pairs of one event loop: the only place that knows where a message is. */
export class QueueRegistry implements Queues, Office {
  readonly clock: Clock;
  readonly shaping: Shaping;
  readonly ledger: Books;
  readonly #parts: QueueParts;
  readonly #pairs = new Map<string, Pair>();
  /** From `binding recipient-domain` as written to its pair, for the current generation. */
  readonly #known = new Map<string, Pair>();
  #bindings: ReadonlySet<BindingName> = new Set();
  #knownGeneration = -1;
  #courier: Courier | undefined;
  readonly #serving: Serving;
  readonly #states: StateRecords;
  readonly #endings: Endings;
  #housekeeping: Disposable | undefined;
  #expiring: Disposable | undefined;
  #batches = 0;
  readonly #unpacked = new Ring<Batch>();
  readonly #envelopes = new EnvelopeStore();

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.shaping = parts.shaping;
    this.#serving = new Serving(parts.clock, (queue) => {
      this.#serve(queue);
      queue.limits.passOn();
    });
    this.ledger = new Books(() => this.#count());
    const complain = this.#complain.bind(this);
    this.#endings = new Endings(parts.clock, parts.undertaker, complain);
    this.#states = new StateRecords(parts.clock, parts.spool, (item) => this.#stateOf(item), complain);
    this.#keepHouse();
    this.#expire();
  }

  enqueue(message: Message): void {
    const { recipients, protocol } = message.envelope;
    const date = this.clock.date();
    const batch = new Batch(message, ++this.#batches, this.#envelopes);
    if (protocol === 'internal') this.ledger.generated += recipients.length;
    else this.ledger.received += recipients.length;
    for (let i = 0; i < recipients.length; i++) {
      const pair = this.#pairFor(message, i);
      pair.counters.received++;
      this.#admit(batch, message, i, pair, undefined, date);
    }
    this.#remember(batch);
  }

  /** What an earlier process left: with its retries and next attempts. With a verdict it ends at once, and nobody is told. */
  readmit(found: Recovered, verdict?: Reply): void {
    const date = this.clock.date();
    const message: Message = { at: found.at, envelope: found.envelope, traits: found.traits };
    const batch = new Batch(message, ++this.#batches, this.#envelopes);
    // Nearly always nothing is done and nothing was tried: a million messages are read in seconds.
    const done = found.done.length === 0 ? undefined : new Set(found.done);
    const states =
      found.state === undefined
        ? undefined
        : new Map(readRetryState(found.state).map((state) => [state.recipient, state]));
    for (let i = 0; i < message.envelope.recipients.length; i++) {
      if (done?.has(i) === true) continue;
      this.ledger.recovered++;
      this.#admit(batch, message, i, this.#pairFor(message, i, true), states?.get(i), date, verdict);
    }
    this.#remember(batch);
  }

  *delayedUntil(time: Millis): Iterable<Item> {
    for (const pair of this.#pairs.values()) yield* pair.delayedUntil(time);
  }

  find(binding: BindingName, domain: Domain): Pair | undefined {
    return this.#pairs.get(`${binding} ${domain}`);
  }

  all(): Iterable<Pair> {
    return this.#pairs.values();
  }

  item(id: MessageId): Item | undefined {
    for (const pair of this.#pairs.values()) {
      const item = pair.item(id);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  workWith(courier: Courier): void {
    this.#courier = courier;
    for (const pair of this.#pairs.values()) if (pair.active > 0) this.due(pair);
  }

  flush(queue: MailQueue): number {
    return this.find(queue.binding, queue.domain)?.flush() ?? 0;
  }

  retry(item: Item): boolean {
    return this.find(item.queue.binding, item.queue.domain)?.retry(item) ?? false;
  }

  fail(item: Item, reply: Reply, quiet: boolean): boolean {
    const attempt: Attempt = { stage: STAGE_UNKNOWN, connectionId: nullId, address: '', host: '', bytes: 0 };
    return (
      this.find(item.queue.binding, item.queue.domain)?.fail(item, { kind: 'failed', reply, attempt }, quiet) ?? false
    );
  }

  /** Values have changed: whoever waits asks again. */
  reconsider(): void {
    this.#serving.addAll(this.#waiting());
  }

  *#waiting(): Generator<Pair> {
    for (const pair of this.#pairs.values()) if (pair.active > 0) yield pair;
  }

  /** What failed in this turn goes to the undertaker now: before a shutdown waits for him. */
  buryAll(): void {
    this.#endings.holdBurials();
    this.#endings.tellAll();
  }

  close(): void {
    this.#housekeeping?.[Symbol.dispose]();
    this.#expiring?.[Symbol.dispose]();
    for (const pair of this.#pairs.values()) pair.close();
    this.#states.close();
  }

  due(queue: Servable): void {
    this.#serving.add(queue);
  }

  delivered(pair: MailQueue, item: QueueItem, outcome: Judged): void {
    this.ledger.delivered++;
    this.#parts.events.record(this.#event('delivery', pair, item, outcome.attempt, outcome.reply, 0));
    const { untold } = outcome;
    const notify = untold === undefined ? undefined : item.path.requests?.notify;
    item.batch.finish(item);
    try {
      if (untold !== undefined && notify?.includes('SUCCESS') === true)
        return this.#endings.tell(item.batch, { recipient: item.recipient, action: untold, outcome });
      this.#parts.spool.done(item.batch.at, [item.recipient]);
    } catch (error) {
      this.#complain(item.batch, 'its delivery is not written', error);
    }
  }

  deferred(pair: MailQueue, item: QueueItem, outcome: Judged): void {
    const { attempt, reply } = outcome;
    this.#parts.events.record(
      this.#event('transient', pair, item, attempt, reply, this.#parts.classify(reply, 'transient', attempt.stage)),
    );
  }

  failed(pair: MailQueue, item: QueueItem, attempt: Attempt | undefined, said: Reply, expired: boolean): void {
    if (expired) this.ledger.expired++;
    else this.ledger.failed++;
    const stage = attempt?.stage ?? STAGE_UNKNOWN;
    this.#parts.events.record(
      this.#event('permanent', pair, item, attempt, said, this.#parts.classify(said, 'permanent', stage)),
    );
    item.batch.finish(item);
  }

  delaying(item: QueueItem, outcome: Judged, until: Millis): void {
    this.#endings.tell(item.batch, { recipient: item.recipient, action: 'delayed', outcome, until });
  }

  /** Recipients of one message that fail in one turn share a DSN (spec/delivery 9.1). */
  bury(item: QueueItem, failure: Failure, told: Told): void {
    this.#endings.bury(item.batch, failure, told);
  }

  amend(batch: Batch): void {
    this.#states.amend(batch);
  }

  /** Everything that waits leaves memory: there is too little of it. */
  swapOutAll(): void {
    for (const pair of this.#pairs.values()) pair.swapOut();
  }

  swapOut(batch: Batch): void {
    if (batch.flying > 0) return;
    batch.pack();
    try {
      this.#parts.spool.swapOut(batch.at);
    } catch (error) {
      this.#complain(batch, 'its body stays in memory', error);
    }
  }

  /** The newest batches stay unpacked, over all pairs: most are delivered at once. */
  #remember(batch: Batch): void {
    this.#unpacked.push(batch);
    if (this.#unpacked.length > MOST_UNPACKED) this.#unpacked.shift()?.pack();
  }

  #admit(
    batch: Batch,
    message: Message,
    recipient: number,
    pair: Pair,
    state: RetryState | undefined,
    date: Millis,
    verdict?: Reply,
  ): void {
    let due = batch.firstDue(date, pair.limits.view.get(messageExpiration));
    if (state !== undefined) {
      // A clock that was wrong when the record was written must not put mail off for years.
      const longest = date + inMillis(pair.limits.view.get(maxRetryInterval));
      due = millis(Math.min(state.nextAttempt, longest));
    }
    const item = new QueueItem(batch, recipient, pair, due);
    item.retries = state?.retries ?? 0;
    batch.admit(item);
    // Asked of the message: the batch may be packed by now, and would be unpacked for each recipient.
    const refused = verdict ?? message.envelope.recipients[recipient]?.refused;
    if (refused !== undefined)
      return pair.refuse(item, { said: refused, expired: false, quiet: verdict !== undefined });
    if (state?.decided !== undefined) return pair.refuse(item, state.decided);
    pair.add(item, date);
    if (item.place === 'active') this.due(pair);
  }

  /** One pair in trouble must not take the others with it. */
  #serve(queue: Servable): void {
    try {
      if (queue.active > 0 && !queue.swallow()) this.#courier?.serve(queue);
    } catch (error) {
      const text = `${queue.domain}/${queue.binding}: cannot be served, tried again in a minute: ${reason(error)}`;
      this.#parts.events.diagnose('CRITICAL', 'queue', text);
      queue.hold(OPEN, millis(this.clock.now() + AFTER_TROUBLE));
    }
  }

  #stateOf(item: QueueItem): RetryState {
    const { recipient, retries, nextAttempt, queue } = item;
    return { recipient, retries, nextAttempt, decided: this.find(queue.binding, queue.domain)?.decided(item) };
  }

  #complain(batch: Batch, what: string, error: unknown): void {
    const { batchId } = batch.message.envelope;
    this.#parts.events.diagnose('CRITICAL', 'queue', `batch ${batchId}: ${what}: ${reason(error)}`);
  }

  /** @param recovered  a binding that is configured no more gives its mail to the default one at a start (manual: binding) */
  #pairFor(message: Message, recipient: number, recovered = false): Pair {
    const generation = this.#parts.current();
    if (generation.number !== this.#knownGeneration) {
      this.#known.clear();
      this.#bindings = new Set(generation.bindings().map(({ name }) => name));
      this.#knownGeneration = generation.number;
    }
    const to = message.envelope.recipients[recipient];
    if (to === undefined) throw new RangeError('no such recipient');
    const binding = recovered && !this.#bindings.has(to.binding) ? DEFAULT : to.binding;
    const written = to.path.slice(to.path.lastIndexOf('@') + 1);
    const key = `${binding} ${written}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.touched = this.clock.now();
      return known;
    }
    const pair = this.#pair(binding, routingDomain(generation, binding, written));
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, pair);
    return pair;
  }

  #pair(binding: BindingName, domain: Domain): Pair {
    const key = `${binding} ${domain}`;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = new Pair(this, binding, domain);
      this.#pairs.set(key, pair);
    }
    return pair;
  }

  #event(
    kind: AttemptEvent['kind'],
    pair: MailQueue,
    item: QueueItem,
    attempt: Attempt | undefined,
    reply: Reply,
    bounceClass: number,
  ): AttemptEvent {
    // Many recipients of one batch often have the same fate at the same time: it is unpacked once for all of them.
    if (item.batch.unpack()) this.#remember(item.batch);
    const { envelope } = item.message;
    const at = this.clock.date();
    return {
      kind,
      at,
      generation: attempt?.generation ?? this.#parts.current().number,
      messageId: item.id,
      batchId: envelope.batchId,
      connectionId: attempt?.connectionId ?? nullId,
      bindingGroup: pair.group,
      binding: pair.binding,
      sender: envelope.reversePath,
      recipient: item.path.path,
      size: envelope.size,
      routingDomain: pair.domain,
      stage: attempt?.stage ?? STAGE_UNKNOWN,
      bytes: attempt?.bytes ?? 0,
      retries: item.retries,
      queuedSeconds: Math.max(0, at - envelope.receivedAt) / 1000,
      address: attempt?.address ?? '',
      host: attempt?.host ?? '',
      tls: attempt?.tls,
      reply,
      bounceClass,
    };
  }

  #count(): number {
    let sum = 0;
    for (const pair of this.#pairs.values()) sum += pair.active + pair.delayed + pair.inFlight;
    return sum;
  }

  /** Once a minute: the books, and pairs that nobody has used for long. */
  #keepHouse(): void {
    this.#housekeeping = this.clock.at(millis(this.clock.now() + HOUSEKEEPING), () => {
      const { difference } = this.ledger;
      if (difference !== 0) {
        this.#parts.events.diagnose(
          'CRITICAL',
          'queue',
          `the ledger does not balance: ${difference} messages are unaccounted for`,
        );
      }
      const old = this.clock.now() - PAIR_LIFETIME;
      for (const [key, pair] of this.#pairs) {
        if (pair.touched < old && pair.idle) {
          pair.close();
          this.#pairs.delete(key);
          // A remembered name must not lead to a pair that nobody serves.
          this.#known.clear();
        }
      }
      this.#keepHouse();
    });
  }

  #expire(): void {
    this.#expiring = this.clock.at(millis(this.clock.now() + EXPIRY_CHECK), () => {
      for (const pair of this.#pairs.values()) pair.expireHeld();
      this.#expire();
    });
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Where mail for a recipient is queued (spec/delivery 3.2): the gateway of its most specific scope, else its own domain.
 * The envelope recipient never changes.
 */
export function routingDomain(generation: Generation, binding: BindingName, written: string): Domain {
  const own = parseDomain(fromUtf8Bytes(written)) ?? NO_DOMAIN;
  const through = generation.sending(generation.groupOf(binding), binding, own).get(gateway);
  return through === undefined ? own : (parseDomain(through) ?? own);
}
