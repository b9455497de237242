import { millis } from '../../../src/base/index.ts';
import { FrameReader, frameKinds, textFrame } from '../../../src/console/index.ts';
import type { ConnectHost, Pipe } from '../../../src/world/index.ts';
import type { SimClock, SimNetwork } from '../../../src/world/sim/index.ts';
import { CONTROL } from '../places.ts';

export interface Answer {
  readonly text: string;
  /** The command's exit code. */
  readonly code: number;
}

const PATIENCE = 120_000;

/** An operator's console. */
export class Console implements ConnectHost {
  readonly #clock: SimClock;
  readonly #pipe: Pipe;
  readonly #reader = new FrameReader();
  #text = '';
  #waiting: ((answer: Answer | undefined) => void) | undefined;
  #over = false;

  constructor(clock: SimClock, network: SimNetwork) {
    this.#clock = clock;
    this.#pipe = network.connect({ kind: 'unix', path: CONTROL }, undefined, this);
  }

  /** @returns undefined when the console was closed, or the server never answered */
  run(line: string): Promise<Answer | undefined> {
    if (this.#over) return Promise.resolve(undefined);
    this.#pipe.write(textFrame(frameKinds.request, line));
    return new Promise((resolve) => {
      const timer = this.#clock.at(millis(this.#clock.now() + PATIENCE), () => this.#answer(undefined));
      this.#waiting = (answer) => {
        timer[Symbol.dispose]();
        resolve(answer);
      };
    });
  }

  close(): void {
    this.#over = true;
    this.#pipe.end();
  }

  opened(): void {}

  data(chunk: Uint8Array): void {
    this.#reader.receive(chunk);
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) {
      if (next.kind === frameKinds.output) this.#text += next.payload.toString('utf8');
      if (next.kind !== frameKinds.end) continue;
      const text = this.#text;
      this.#text = '';
      this.#answer({ text, code: next.payload[0] ?? 0 });
    }
  }

  drained(): void {}

  closed(): void {
    this.#over = true;
    this.#answer(undefined);
  }

  #answer(answer: Answer | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(answer);
  }
}
