import type { Events, Level } from '../events/index.ts';
import type { Clock } from '../world/index.ts';

/** The same trouble is told again after this long, not with every batch. */
const REPEAT_MS = 60_000;

/** What the spool has to say to operators. */
export class Alarm {
  readonly #events: Pick<Events, 'diagnose'> | undefined;
  readonly #clock: Clock;
  readonly #told = new Map<string, number>();

  constructor(events: Pick<Events, 'diagnose'> | undefined, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  tell(level: Level, text: string): void {
    this.#events?.diagnose(level, 'spool', text);
  }

  /** Once a minute for each `trouble`: a fixed set of words, so that the memory of it stays small. */
  repeat(trouble: string, level: Level, text: string): void {
    const now = this.#clock.now();
    const last = this.#told.get(trouble);
    if (last !== undefined && now - last < REPEAT_MS) return;
    this.#told.set(trouble, now);
    this.tell(level, text);
  }
}

/** @returns what went wrong, in the words of the system */
export function because(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
