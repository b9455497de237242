import { type Millis, millis } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import type { Envelope } from '../message/index.ts';
import type { Queues } from '../queue/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import { type Clock, KeyValueError } from '../world/index.ts';
import { type ApiStore, pagesOf } from './api-store.ts';
import type { Progress, Register } from './register.ts';
import { Trouble } from './trouble.ts';

/** In the message context: seconds since the epoch, before which no queue lets it go. */
export const SCHEDULED = 'scheduled_time';
/** Momentum's floor of scheduled_interval_delete, in seconds. */
const LEAST_INTERVAL = 60;
/** Transmissions that may wait for their time. */
const MOST_SCHEDULED = 10_000;
/** Of the data that they have in common: some three times as many bytes of memory. */
const MOST_CHARACTERS = 67_108_864;
/** A transmission whose time has come is known for so long after a restart, in milliseconds. */
const KNOWN_AFTERWARDS = 24 * 3_600_000;
/** Messages that are looked at in one go. */
const AT_ONCE = 500;

/** What a message ends with whose transmission was cancelled (spec/http-api 4.2). */
export const CANCELLED: Reply = reply(554, '5.7.1', '[internal] Campaign cancelled');

export interface ScheduleParts {
  readonly clock: Pick<Clock, 'date'>;
  readonly store: Pick<ApiStore, 'scan' | 'write' | 'onReady'>;
  readonly queues: Pick<Queues, 'delayedUntil' | 'fail'>;
  /** Lets mail have its turn. */
  readonly turn: () => Promise<void>;
  readonly events: Pick<Events, 'diagnose'>;
}

/**
 * Transmissions with a time of their own, over restarts. Their messages are made at once and wait in the queues; what is
 * kept here is how they are, and that one was cancelled: before anybody is told so, and until its time is long past.
 */
export class Schedule {
  readonly #parts: ScheduleParts;
  readonly #register: Register;
  /** Ids of transmissions of which nothing may go out any more. */
  readonly #cancelled = new Set<string>();
  /** Not in the store as they are, since it could not be used. */
  readonly #owed = new Set<Progress>();
  #loaded = false;
  /** Whose order the spool still holds. */
  readonly #ordered = new Set<string>();
  #recovered = false;
  #closing = false;
  readonly #sweeps = new Set<Promise<void>>();

  constructor(parts: ScheduleParts, register: Register) {
    this.#parts = parts;
    this.#register = register;
    parts.store.onReady(() => {
      this.load();
      for (const progress of this.#owed) this.save(progress);
    });
  }

  /** What an earlier process left. When the store cannot be used now, it is read as soon as it can. Without HTTP there is none. */
  load(): void {
    if (this.#loaded) return;
    const { store, clock } = this.#parts;
    try {
      const old: string[] = [];
      for (const entries of pagesOf(store, PREFIX, BEYOND))
        for (const { key, value } of entries) {
          const progress = JSON.parse(value) as Progress;
          if (progress.order.startTime === undefined || progress.order.startTime < clock.date() - KNOWN_AFTERWARDS) {
            old.push(key);
            continue;
          }
          this.#register.adopt(progress);
          if (progress.cancelled === true) {
            this.#cancelled.add(progress.order.id);
            // What came back into the queues before this was known.
            void this.sweep(progress);
          }
        }
      if (old.length > 0) store.write(old.map((key) => [key, undefined] as const));
      this.#loaded = true;
      if (this.#recovered) this.#closeOrphans();
    } catch (error) {
      if (!(error instanceof KeyValueError)) throw error;
    }
  }

  /** The spool holds an order of an earlier process. */
  ordered(id: string): void {
    this.#ordered.add(id);
  }

  /** The spool is read to its end. */
  recovered(): void {
    this.#recovered = true;
    this.#closeOrphans();
  }

  /** How it is now, durable when it returns; a store that cannot be used gets it later. */
  save(progress: Progress): void {
    if (progress.order.startTime === undefined) return;
    this.#owed.add(progress);
    try {
      this.#write(progress);
      this.#owed.delete(progress);
    } catch (error) {
      if (!(error instanceof KeyValueError)) throw error;
    }
  }

  /** @throws Trouble 1502 */
  room(): void {
    const { count, characters } = this.#register.scheduled;
    if (count >= MOST_SCHEDULED || characters > MOST_CHARACTERS)
      throw new Trouble('1502', `${count} transmissions wait for their time already`);
  }

  isCancelled(id: string): boolean {
    return this.#cancelled.has(id);
  }

  /** What a message that an earlier process left ends with at once; undefined: it goes its way. */
  verdict({ protocol, context }: Envelope): Reply | undefined {
    if (protocol !== 'rest') return undefined;
    const { transmission_id: id, [SCHEDULED]: time } = context.message;
    if (time !== undefined) this.load();
    return time !== undefined && id !== undefined && this.#cancelled.has(id) ? CANCELLED : undefined;
  }

  /**
   * Nothing of it goes out any more once this returns, whatever happens to the server: `sweep` then ends its messages.
   *
   * @param configured scheduled_interval_delete: seconds before its time in which it may not be cancelled any more
   * @throws Trouble 2003, 2006, KeyValueError
   */
  cancel(progress: Progress, configured: number): void {
    const interval = configured === 0 ? 0 : Math.max(configured, LEAST_INTERVAL);
    const { startTime } = progress.order;
    const now = this.#parts.clock.date();
    const { id } = progress.order;
    if (progress.cancelled === true) throw new Trouble('2006', `transmission ${id} is cancelled already`);
    if (startTime === undefined || startTime <= now) throw new Trouble('2006', `transmission ${id} has begun already`);
    if (startTime - now < interval * 1000)
      throw new Trouble('2003', `transmission ${id} begins in less than ${interval} seconds`);
    progress.cancelled = true;
    try {
      this.#write(progress);
    } catch (error) {
      progress.cancelled = false;
      throw error;
    }
    this.#cancelled.add(id);
  }

  /** Ends the messages of a cancelled transmission that wait in the queues. Never rejects: what is left, the next start ends. */
  sweep(progress: Progress): Promise<void> {
    const sweep = this.#sweep(progress)
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        const text = `transmission ${progress.order.id} is not cancelled whole: ${why}`;
        this.#parts.events.diagnose('CRITICAL', 'generation', text);
      })
      .finally(() => this.#sweeps.delete(sweep));
    this.#sweeps.add(sweep);
    return sweep;
  }

  /** What is not ended by then is ended at the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled(this.#sweeps);
  }

  async #sweep({ order }: Progress): Promise<void> {
    const { queues, turn } = this.#parts;
    if (order.startTime === undefined) return;
    let count = 0;
    for (const item of queues.delayedUntil(order.startTime)) {
      if (this.#closing) return;
      if (item.message.envelope.context.message.transmission_id === order.id) queues.fail(item, CANCELLED, true);
      if (++count % AT_ONCE === 0) await turn();
    }
  }

  /** All messages were made, and the server ended before it could write that down. */
  #closeOrphans(): void {
    for (const progress of this.#register.all()) {
      const { order, recipients, failed } = progress;
      if (order.startTime === undefined || progress.ended !== undefined || progress.started !== undefined) continue;
      if (this.#ordered.has(order.id)) continue;
      progress.made = recipients - failed;
      progress.ended = this.#parts.clock.date();
      this.save(progress);
    }
  }

  #write(progress: Progress): void {
    const order = { ...progress.order, acceptance: undefined };
    this.#parts.store.write([[PREFIX + order.id, JSON.stringify({ ...progress, order })]]);
  }
}

/** Whole seconds, as contexts have them; never earlier than asked for. */
export const startTimeOf = (at: number): Millis => millis(Math.ceil(at / 1000) * 1000);

const PREFIX = 'scheduled\u0000';
const BEYOND = 'scheduled\u0001';
