import { inMillis, millis, type Seconds } from '../base/index.ts';
import type { Greeting as PolicyGreeting } from '../policy/index.ts';
import type { Clock } from '../world/index.ts';
import type { Client } from './client.ts';

/** How a hook of core_validate_accept reaches the session. */
export interface Threshold {
  /** The client has sent something. */
  readonly early: boolean;
  preface(lines: readonly string[]): void;
}

/** A client that has not been greeted, as hooks see it. */
export class Greeting implements PolicyGreeting {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #threshold: Threshold;
  #timer: Disposable | undefined = undefined;
  #heard: (() => void) | undefined = undefined;

  constructor(client: Client, clock: Clock, threshold: Threshold) {
    this.#client = client;
    this.#clock = clock;
    this.#threshold = threshold;
  }

  get remote(): Client['remote'] {
    return this.#client.remote;
  }

  get helo(): string {
    return this.#client.helo;
  }

  get reversePath(): string | undefined {
    return this.#client.reversePath;
  }

  get recipient(): string | undefined {
    return this.#client.recipient;
  }

  get connectionContext(): Record<string, string> {
    return this.#client.connectionContext;
  }

  get messageContext(): Record<string, string> {
    return this.#client.messageContext;
  }

  preface(lines: readonly string[]): void {
    this.#threshold.preface(lines);
  }

  pause(seconds: Seconds, untilEarly: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.end();
        resolve(this.#threshold.early);
      };
      if (seconds <= 0 || (untilEarly && this.#threshold.early)) return over();
      this.#timer = this.#clock.at(millis(this.#clock.now() + inMillis(seconds)), over);
      if (untilEarly) this.#heard = over;
    });
  }

  /** The client has sent something. */
  talked(): void {
    this.#heard?.();
  }

  /** Nobody waits any more: the pause is over, or the client has gone. */
  end(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#heard = undefined;
  }
}
