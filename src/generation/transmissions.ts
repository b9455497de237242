import type { Envelope } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Recovered } from '../spool/index.ts';
import { compileContent } from './content.ts';
import { jobEnvelope, jobOf, writeJob } from './job.ts';
import { Maker } from './maker.ts';
import type { Order, Recipient } from './order.ts';
import type { TransmissionsParts } from './parts.ts';
import { type Progress, Register } from './register.ts';
import { sandboxVerdict } from './sandbox.ts';
import { Schedule } from './schedule.ts';
import { Trouble } from './trouble.ts';
import { Workshop } from './workshop.ts';

/** Transmissions that wait or are being made. */
const MOST_JOBS = 1000;
/** Recipients of those that wait; some 100 bytes of memory each. */
const MOST_WAITING = 2_000_000;

/** Orders become messages: one at once, many one after the other behind the answer. */
export class Transmissions {
  readonly register: Register;
  readonly schedule: Schedule;
  readonly #parts: TransmissionsParts;
  readonly #maker: Maker;
  readonly #workshop: Workshop;

  constructor(parts: TransmissionsParts) {
    this.#parts = parts;
    this.register = new Register(() => parts.clock.date());
    this.schedule = new Schedule(parts, this.register);
    this.#maker = new Maker(parts);
    this.#workshop = new Workshop(parts, this.#maker, this.register, this.schedule);
  }

  /** Orders that are not begun. */
  get waiting(): number {
    return this.#workshop.waiting;
  }

  /** Orders of which messages are being made. */
  get generating(): number {
    return this.#workshop.running;
  }

  /**
   * Durable when it resolves: the message itself for one recipient, else the order with all its recipients.
   *
   * @throws Trouble, SpoolError
   */
  async send(order: Order, recipients: readonly Recipient[]): Promise<void> {
    const { clock, ids, spool, templates, turn } = this.#parts;
    const compiled = compileContent(order.content, templates, order);
    const [only] = recipients;
    // A list is answered before its messages are made, however few they are.
    const atOnce = order.startTime === undefined && order.listId === undefined;
    if (recipients.length === 1 && only !== undefined && atOnce) {
      const progress = this.register.begin(order, 1, clock.date());
      progress.started = clock.date();
      try {
        await this.#maker.make(order, compiled, only, ids.next(clock.date()));
        progress.made = 1;
        await this.#remembered(order);
      } catch (error) {
        progress.failed = 1;
        if (error instanceof Trouble) this.#maker.record(order, only, error);
        throw error;
      } finally {
        progress.ended = clock.date();
        this.register.end(order.id);
      }
      return;
    }
    if (this.waiting + this.generating >= MOST_JOBS)
      throw new Trouble('1502', `${MOST_JOBS} transmissions wait already`);
    if (this.#workshop.recipients + recipients.length > MOST_WAITING)
      throw new Trouble('1502', `transmissions to ${MOST_WAITING} recipients wait already`);
    if (order.startTime !== undefined) this.schedule.room();
    const draft = spool.draft();
    await writeJob(draft, order, recipients, turn);
    const envelope = await jobEnvelope(order, recipients, ids, clock.date(), turn);
    const traits = { dots: false, lone: false };
    const at = await new Promise<Recovered['at']>((kept, refused) => draft.commit(envelope, traits, { kept, refused }));
    await this.#remembered(order);
    this.schedule.save(this.register.begin(order, recipients.length, clock.date()));
    this.#workshop.add({ at, envelope, traits, done: [], state: undefined });
  }

  /** @returns whether it was a transmission that an earlier process had not finished */
  readmit(found: Recovered): boolean {
    this.#parts.acceptances.readmit(found.envelope);
    const job = jobOf(found.envelope);
    if (job === undefined) return false;
    this.schedule.ordered(job);
    this.#workshop.add(found);
    return true;
  }

  /** What a message that an earlier process left ends with at once, and goes nowhere. */
  verdict(envelope: Envelope): Reply | undefined {
    return this.schedule.verdict(envelope) ?? sandboxVerdict(envelope, this.#parts.current());
  }

  /**
   * Cancels a transmission that waits for its time.
   *
   * @param interval seconds before its time in which it stays; 0: until its time
   * @throws Trouble 2003, 2006, KeyValueError
   */
  cancel(progress: Progress, interval: number): void {
    this.schedule.cancel(progress, interval);
    void this.schedule.sweep(progress);
  }

  /** All that an earlier process left has been readmitted. */
  recovered(): void {
    this.#parts.acceptances.recovered();
    this.schedule.recovered();
  }

  async #remembered({ acceptance }: Order): Promise<void> {
    if (acceptance !== undefined) await this.#parts.acceptances.remember(acceptance);
  }

  find(id: string): Progress | undefined {
    return this.register.find(id);
  }

  /** No further message is begun; resolves when those in hand are stored. What is left goes on after the next start. */
  async close(): Promise<void> {
    await this.#workshop.close();
    await this.schedule.close();
  }
}
