import type { Events, Level } from '../events/index.ts';
import type { Clock } from '../world/index.ts';
import { after } from './drain.ts';

/** What strangers can cause at will: a line at once, then at most one a second, with the count of what was left out. */
export class FloodLog implements Disposable {
  readonly #clock: Clock;
  readonly #events: Pick<Events, 'diagnose'>;
  readonly #quiet = new Map<string, { level: Level; text: string; more: number; timer: Disposable }>();

  constructor(clock: Clock, events: Pick<Events, 'diagnose'>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** @param kind  what is counted together: one of few words of ours, never a peer's */
  tell(kind: string, level: Level, text: string): void {
    const told = this.#quiet.get(kind);
    if (told !== undefined) {
      told.more++;
      told.text = text;
      return;
    }
    this.#events.diagnose(level, 'CONSL', text);
    this.#rest(kind, level);
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#quiet.values()) timer[Symbol.dispose]();
    this.#quiet.clear();
  }

  #rest(kind: string, level: Level): void {
    const timer = this.#clock.at(after(this.#clock, SECOND), () => {
      const { more = 0, text = '' } = this.#quiet.get(kind) ?? {};
      this.#quiet.delete(kind);
      if (more === 0) return;
      this.#events.diagnose(level, 'CONSL', `${text} (${more} in the last second)`);
      this.#rest(kind, level);
    });
    this.#quiet.set(kind, { level, text: '', more: 0, timer });
  }
}

const SECOND = 1000;
