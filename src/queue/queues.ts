import type { BindingName, Domain, Millis } from '../base/index.ts';
import type { Message, MessageId } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Outcome } from './outcome.ts';

export interface QueueKey {
  readonly binding: BindingName;
  readonly domain: Domain;
}

/** One recipient of one message: the unit of queueing. */
export interface Item {
  readonly message: Message;
  /** Index into `message.envelope.recipients`. */
  readonly recipient: number;
  readonly id: MessageId;
  /** Retries made so far; 0 before the first attempt has failed. */
  readonly retries: number;
  /** Milliseconds since the epoch. */
  readonly nextAttempt: Millis;
  /** Since the epoch: whoever sent it wishes that it is not tried before. */
  readonly notBefore: Millis | undefined;
  readonly state: 'active' | 'delayed' | 'in flight' | 'gone';
  /** What the last attempt was told. */
  readonly lastReply: Reply | undefined;
  readonly queue: MailQueue;
}

/** The pair of a binding and a routing domain, with its active and its delayed queue. */
export interface MailQueue extends QueueKey {
  readonly group: string;
  readonly active: number;
  readonly delayed: number;
  readonly inFlight: number;
  readonly counters: PairCounters;
  /** Up to `most` due items of one message, or of one batch; empty when nothing is due. They are in flight until settled. */
  take(most: number): readonly Item[];
  /** Done, retry or wait: the only way out of flight. */
  settle(item: Item, outcome: Outcome): void;
  /** Active first, then delayed, each by next attempt; in-flight items last. */
  items(): Iterable<Item>;
}

export interface PairCounters {
  received: number;
  delivered: number;
  failed: number;
  transient: number;
}

/** Declared here, built in delivery: the queue asks for hands. */
export interface Courier {
  /** Something is due in this queue, or its limits may have changed: open or wake connections as shaping allows. */
  serve(queue: MailQueue): void;
}

/** The registry of all pairs, and what an operator may do with them. */
export interface Queues {
  /** All unfinished recipients of a reception, as one batch, before any courier is called. */
  enqueue(message: Message): void;
  find(binding: BindingName, domain: Domain): MailQueue | undefined;
  all(): Iterable<MailQueue>;
  item(id: MessageId): Item | undefined;
  /** Delayed items that are due exactly then, milliseconds since the epoch; the queues may change between two of them. */
  delayedUntil(time: Millis): Iterable<Item>;
  workWith(courier: Courier): void;
  /** Delayed items of a pair are due now. @returns how many */
  flush(queue: MailQueue): number;
  /** To the active queue. @returns false while it is being delivered, and before its own time */
  retry(item: Item): boolean;
  /** A permanent failure by an operator; `quiet`: no bounce. @returns false while it is being delivered */
  fail(item: Item, reply: Reply, quiet: boolean): boolean;
  readonly ledger: Ledger;
}

/** Counted per recipient: received + generated + recovered = delivered + failed + expired + discarded + queued, always. */
export interface Ledger {
  readonly received: number;
  readonly generated: number;
  readonly recovered: number;
  readonly delivered: number;
  readonly failed: number;
  readonly expired: number;
  readonly discarded: number;
  readonly queued: number;
  /** 0, or we have a bug. */
  readonly difference: number;
}
