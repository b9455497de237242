import type { Pipe } from '../world/index.ts';

/** Why nothing is read from a client: each reason has its bit, and as long as there is one the pipe is paused. */
export const reasons = {
  spoolBehind: 1,
  clientBehind: 2,
  tooMuchSent: 4,
  othersTurn: 8,
} as const;

export class Pauses {
  readonly #pipe: Pipe;
  #whys = 0;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  has(reason: number): boolean {
    return (this.#whys & reason) !== 0;
  }

  add(reason: number): void {
    if (this.#whys === 0) this.#pipe.pause();
    this.#whys |= reason;
  }

  remove(reason: number): void {
    if ((this.#whys & reason) === 0) return;
    this.#whys &= ~reason;
    if (this.#whys === 0) this.#pipe.resume();
  }
}
