import { millis } from '../base/index.ts';
import type { MessageId } from '../message/index.ts';
import { type Recovered, SpoolError } from '../spool/index.ts';
import { KeyValueError } from '../world/index.ts';
import { type Compiled, compileContent } from './content.ts';
import { linesOf, readLine, readOrder } from './job.ts';
import type { Maker } from './maker.ts';
import type { Order, Recipient } from './order.ts';
import type { TransmissionsParts } from './parts.ts';
import type { Progress, Register } from './register.ts';
import { CANCELLED, type Schedule } from './schedule.ts';
import { Trouble } from './trouble.ts';

/** Transmissions that are worked on at once (Momentum's gen_count). */
const AT_ONCE = 2;
/** Messages of one transmission that wait for the disk, and bytes of all that do. */
const WINDOW = 500;
const MOST_BYTES = 33_554_432;
/** After so long others have their turn. */
const SLICE_MILLIS = 5;
/** Before it is looked again whether there is room. */
const PAUSE_MILLIS = 1000;
/** Between two complaints of the same kind. */
const QUIET_MILLIS = 60_000;

/** Works through the transmissions that the spool holds, two at a time, in the order in which they came. */
export class Workshop {
  readonly #parts: TransmissionsParts;
  readonly #maker: Maker;
  readonly #register: Register;
  readonly #schedule: Schedule;
  readonly #waiting: Recovered[] = [];
  readonly #running = new Set<Promise<void>>();
  #closing = false;
  #quietUntil = 0;
  readonly #wake = new Set<() => void>();

  constructor(parts: TransmissionsParts, maker: Maker, register: Register, schedule: Schedule) {
    this.#parts = parts;
    this.#maker = maker;
    this.#register = register;
    this.#schedule = schedule;
  }

  /** Recipients of transmissions that wait: their envelopes are in memory. */
  get recipients(): number {
    return this.#waiting.reduce((sum, { envelope }) => sum + envelope.recipients.length, 0);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.size;
  }

  add(job: Recovered): void {
    this.#waiting.push(job);
    this.#next();
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const wake of this.#wake) wake();
    await Promise.all(this.#running);
  }

  #next(): void {
    while (!this.#closing && this.#running.size < AT_ONCE) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      const run: Promise<void> = this.#run(job).finally(() => {
        this.#running.delete(run);
        this.#next();
      });
      this.#running.add(run);
    }
  }

  /** Never rejects. */
  async #run(job: Recovered): Promise<void> {
    const { spool, events } = this.#parts;
    try {
      using hold = spool.hold(job.at);
      await this.#work(job, linesOf(hold));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      events.diagnose(
        'CRITICAL',
        'generation',
        `a transmission stopped and will be tried again at the next start: ${why}`,
      );
    }
  }

  async #work(job: Recovered, lines: AsyncGenerator<string>): Promise<void> {
    const { clock, turn, templates } = this.#parts;
    const first = await lines.next();
    if (first.done === true) throw new Error('it has no order');
    const order = readOrder(first.value);
    const progress =
      this.#register.resume(order.id) ??
      this.#register.begin(order, job.envelope.recipients.length, job.envelope.receivedAt);
    progress.started = clock.date();
    const compiled = compiledOrWhy(() => compileContent(order.content, templates, order));
    const done = new Set(job.done);
    // What an earlier process had noted of it is older than what the spool knows.
    progress.made = done.size;
    progress.failed = 0;
    const window = new Window(WINDOW);
    let index = -1;
    let since = clock.now();
    for await (const line of lines) {
      index++;
      if (done.has(index)) continue;
      await this.#room();
      if (this.#closing) break;
      const id = job.envelope.recipients[index]?.id;
      if (id === undefined) throw new Error(`recipient ${index} is not in its envelope`);
      window.add(this.#one({ job, index, id, order, compiled, recipient: readLine(line), progress }));
      while (window.full || (window.some && this.#maker.bytes > MOST_BYTES)) await window.less();
      if (clock.now() - since < SLICE_MILLIS) continue;
      await turn();
      since = clock.now();
    }
    await window.empty();
    if (this.#closing) return;
    progress.ended = clock.date();
    this.#register.end(order.id);
    this.#schedule.save(progress);
    // Of those that were under way when it was cancelled somebody may have come into the queues behind the sweep.
    if (this.#schedule.isCancelled(order.id)) await this.#schedule.sweep(progress);
  }

  /** One recipient, until there is a message or there will never be one. Never rejects. */
  async #one({ job, index, id, order, compiled, recipient, progress }: Piece): Promise<void> {
    while (!this.#closing) {
      try {
        if (this.#schedule.isCancelled(order.id)) throw new Trouble('1902', CANCELLATION);
        if (compiled instanceof Trouble) throw compiled;
        await this.#maker.make(order, compiled, recipient, id, { at: job.at, recipients: [index] });
        progress.made++;
        return;
      } catch (error) {
        // Mail must not be lost because nobody can look who is suppressed, or because the disk is full.
        if (error instanceof SpoolError || error instanceof KeyValueError) {
          // The store tells of its own trouble, once.
          if (error instanceof SpoolError) this.#complain(error);
          await this.#pause();
          continue;
        }
        const why = error instanceof Trouble ? error : new Trouble('1901', 'something went wrong on our side');
        if (!(error instanceof Trouble))
          this.#parts.events.diagnose(
            'CRITICAL',
            'generation',
            `a message failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          );
        progress.failed++;
        this.#maker.record(order, recipient, why);
        this.#parts.spool.done(job.at, [index]);
        return;
      }
    }
  }

  #complain(error: Error): void {
    const now = this.#parts.clock.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MILLIS;
    this.#parts.events.diagnose('ERROR', 'generation', `transmissions wait, and are tried again: ${error.message}`);
  }

  async #room(): Promise<void> {
    while (!this.#closing && this.#parts.full() !== undefined) await this.#pause();
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      if (this.#closing) return resolve();
      const wake = (): void => {
        timer[Symbol.dispose]();
        this.#wake.delete(wake);
        resolve();
      };
      const timer = clock.at(millis(clock.now() + PAUSE_MILLIS), wake);
      this.#wake.add(wake);
      return undefined;
    });
  }
}

const CANCELLATION = `${CANCELLED.code} ${CANCELLED.enhanced} ${CANCELLED.text}`;

/** Work on one recipient. */
interface Piece {
  readonly job: Recovered;
  readonly index: number;
  readonly id: MessageId;
  readonly order: Order;
  readonly compiled: Compiled | Trouble;
  readonly recipient: Recipient;
  readonly progress: Progress;
}

/** Counts what is under way, and lets one wait until it is less. */
class Window {
  readonly #most: number;
  #count = 0;
  #waits: (() => void) | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get full(): boolean {
    return this.#count >= this.#most;
  }

  get some(): boolean {
    return this.#count > 0;
  }

  /** @param work never rejects */
  add(work: Promise<void>): void {
    this.#count++;
    void work.then(() => {
      this.#count--;
      this.#waits?.();
    });
  }

  less(): Promise<void> {
    return new Promise((resolve) => {
      this.#waits = resolve;
    });
  }

  async empty(): Promise<void> {
    while (this.#count > 0) await this.less();
  }
}

/** Content was compiled when the order came; a newer version of ours may see it with other eyes. */
function compiledOrWhy(compile: () => Compiled): Compiled | Trouble {
  try {
    return compile();
  } catch (error) {
    if (error instanceof Trouble) return error;
    throw error;
  }
}
