import { type Millis, millis } from '../base/index.ts';
import type { Clock, Pipe } from '../world/index.ts';

/** Writing to a pipe that may be slow: who has much to say asks `waiting`, and waits. */
export class Drain {
  readonly #clock: Clock;
  readonly #pipe: Pipe;
  readonly #patience: number;
  #full = false;
  #gone = false;
  #wake: (() => void) | undefined;

  /** @param patience milliseconds after which a peer that does not read is cut off; 0 = never */
  constructor(clock: Clock, pipe: Pipe, patience: number) {
    this.#clock = clock;
    this.#pipe = pipe;
    this.#patience = patience;
  }

  get waiting(): boolean {
    return this.#full && !this.#gone;
  }

  /** Never lost while the pipe is open; the pipe keeps what it cannot send yet. */
  write(bytes: readonly Uint8Array[]): void {
    if (!this.#gone && !this.#pipe.write(bytes)) this.#full = true;
  }

  /** Resolves when the pipe takes more, or is closed. One waits at a time. */
  async ready(): Promise<void> {
    if (!this.waiting) return;
    using _timer =
      this.#patience > 0 ? this.#clock.at(after(this.#clock, this.#patience), () => this.#pipe.destroy()) : undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Resolves when others have had their turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.defer(resolve));
  }

  drained(): void {
    this.#full = false;
    this.#release();
  }

  closed(): void {
    this.#gone = true;
    this.#release();
  }

  #release(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** A moment so many milliseconds from now. */
export const after = (clock: Clock, wait: number): Millis => millis(clock.now() + wait);
