import { type Millis, millis } from '../base/index.ts';
import type { Clock, Process } from '../world/index.ts';
import { progressLine } from './send-report.ts';

/** How often the line is drawn, in milliseconds. */
const EVERY = 250;

/** The line with rate and rest of a batch, four times a second, on a terminal only. */
export class Progress {
  readonly #clock: Clock;
  readonly #process: Process;
  readonly #count: number;
  readonly #done: () => number;
  #drawn: { readonly at: Millis; readonly done: number; readonly rate: number };
  #drawing: Disposable | undefined;

  /** @param done  messages that have their result */
  constructor(clock: Clock, process: Process, count: number, done: () => number) {
    this.#clock = clock;
    this.#process = process;
    this.#count = count;
    this.#done = done;
    this.#drawn = { at: clock.now(), done: 0, rate: 0 };
  }

  begin(): void {
    if (!this.#process.isTerminal.output) return;
    this.#drawing = this.#clock.at(millis(this.#clock.now() + EVERY), () => {
      const now = this.#clock.now();
      const done = this.#done();
      const latest = ((done - this.#drawn.done) * 1000) / Math.max(1, now - this.#drawn.at);
      // Half of the newest moment, half of those before: a hiccup does not make the rest jump.
      const rate = this.#drawn.rate === 0 ? latest : (latest + this.#drawn.rate) / 2;
      this.#drawn = { at: now, done, rate };
      this.#process.say(`\r${progressLine(done, this.#count, rate)}\x1b[K`);
      this.begin();
    });
  }

  /** The line goes. */
  end(): void {
    if (this.#drawing === undefined) return;
    this.#drawing[Symbol.dispose]();
    this.#drawing = undefined;
    this.#process.say('\r\x1b[K');
  }
}
