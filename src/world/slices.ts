import type { Clock } from './world.ts';

/** How long a slice may keep the loop. A message that comes in waits for several: five milliseconds were felt. */
const SLICE_MILLIS = 2;
/** Steps between two looks at the clock. */
const STEPS = 16;

/**
 * Long work without haste: it gives way to everything else that waits for the loop every other millisecond. In a
 * simulated world no time passes while it works, so there it never gives way, and is the same each time.
 */
export class Slices {
  readonly #clock: Pick<Clock, 'now' | 'defer'> | undefined;
  #until: number;
  #steps = 0;

  /** @param clock undefined: nobody else waits, and it is all done in one go */
  constructor(clock: Pick<Clock, 'now' | 'defer'> | undefined) {
    this.#clock = clock;
    this.#until = (clock?.now() ?? 0) + SLICE_MILLIS;
  }

  /** Counts one step. @returns whether it is time for `pause` */
  get over(): boolean {
    return ++this.#steps % STEPS === 0 && this.due;
  }

  /** Whether it is time for `pause`: for who does pieces that are not small. */
  get due(): boolean {
    return this.#clock !== undefined && this.#clock.now() >= this.#until;
  }

  /** Resolves when the loop has been round. */
  async pause(): Promise<void> {
    const clock = this.#clock;
    if (clock === undefined) return;
    await new Promise<void>((resume) => clock.defer(resume));
    this.#until = clock.now() + SLICE_MILLIS;
  }

  /** @param step does a small piece, and returns false when there is nothing left */
  async run(step: () => boolean): Promise<void> {
    while (step()) if (this.over) await this.pause();
  }

  /** @param visit takes one item, which is a small piece */
  async each<T>(items: Iterable<T>, visit: (item: T) => void): Promise<void> {
    for (const item of items) {
      visit(item);
      if (this.over) await this.pause();
    }
  }

  /** Runs a work that stops between small pieces, to its end. @returns what it makes */
  async finish<T>(work: Generator<undefined, T>): Promise<T> {
    for (;;) {
      const step = work.next();
      if (step.done) return step.value;
      if (this.over) await this.pause();
    }
  }
}
