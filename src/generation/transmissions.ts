import type { Recovered } from '../spool/index.ts';
import { compileContent } from './content.ts';
import { isJob, jobEnvelope, writeJob } from './job.ts';
import { Maker } from './maker.ts';
import type { Order, Recipient } from './order.ts';
import type { TransmissionsParts } from './parts.ts';
import { type Progress, Register } from './register.ts';
import { Trouble } from './trouble.ts';
import { Workshop } from './workshop.ts';

/** Transmissions that wait or are being made. */
const MOST_JOBS = 1000;
/** Recipients of those that wait; some 100 bytes of memory each. */
const MOST_WAITING = 2_000_000;

/** Orders become messages: one at once, many one after the other behind the answer. */
export class Transmissions {
  readonly register = new Register();
  readonly #parts: TransmissionsParts;
  readonly #maker: Maker;
  readonly #workshop: Workshop;

  constructor(parts: TransmissionsParts) {
    this.#parts = parts;
    this.#maker = new Maker(parts);
    this.#workshop = new Workshop(parts, this.#maker, this.register);
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
    if (recipients.length === 1 && only !== undefined) {
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
    const draft = spool.draft();
    await writeJob(draft, order, recipients, turn);
    const envelope = jobEnvelope(order, recipients, ids, clock.date());
    const traits = { dots: false, lone: false };
    const at = await new Promise<Recovered['at']>((kept, refused) => draft.commit(envelope, traits, { kept, refused }));
    await this.#remembered(order);
    this.register.begin(order, recipients.length, clock.date());
    this.#workshop.add({ at, envelope, traits, done: [], state: undefined });
  }

  /** @returns whether it was a transmission that an earlier process had not finished */
  readmit(found: Recovered): boolean {
    this.#parts.acceptances.readmit(found.envelope);
    if (!isJob(found.envelope)) return false;
    this.#workshop.add(found);
    return true;
  }

  /** All that an earlier process left has been readmitted. */
  recovered(): void {
    this.#parts.acceptances.recovered();
  }

  async #remembered({ acceptance }: Order): Promise<void> {
    if (acceptance !== undefined) await this.#parts.acceptances.remember(acceptance);
  }

  find(id: string): Progress | undefined {
    return this.register.find(id);
  }

  /** No further message is begun; resolves when those in hand are stored. What is left goes on after the next start. */
  close(): Promise<void> {
    return this.#workshop.close();
  }
}
