import { millis } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock } from '../world/index.ts';

/** How long the same trouble of a socket is only counted after a line about it. */
const SILENCE_MILLIS = 60_000;

/** Says once what a thousand connections meet: the first line at once, then one a minute with the number of them. */
export class TroubleLog {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #quiet = new Map<string, { count: number; text: string; timer: Disposable }>();

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#events = events;
  }

  /** @param about  what goes wrong where: lines about the same are held back */
  tell(about: string, text: string): void {
    const quiet = this.#quiet.get(about);
    if (quiet !== undefined) {
      quiet.count += 1;
      quiet.text = text;
      return;
    }
    this.#events.diagnose('ERROR', 'listener', text);
    this.#hold(about, text);
  }

  close(): void {
    for (const { timer } of this.#quiet.values()) timer[Symbol.dispose]();
    this.#quiet.clear();
  }

  #hold(about: string, text: string): void {
    const timer = this.#clock.at(millis(this.#clock.now() + SILENCE_MILLIS), () => {
      const held = this.#quiet.get(about);
      this.#quiet.delete(about);
      if (held === undefined || held.count === 0) return;
      this.#events.diagnose('ERROR', 'listener', `${held.text} (${held.count} times in the last minute)`);
      this.#hold(about, held.text);
    });
    this.#quiet.set(about, { count: 0, text, timer });
  }
}
