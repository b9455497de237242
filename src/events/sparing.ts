import { millis } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import type { Events, Level } from './events.ts';

/** One line of each kind in so long. */
const INTERVAL = 1000;
/** Kinds that are told apart at a time; whatever comes beyond them shares one. */
const MOST_KINDS = 200;
const OTHERS = 'others';

/** What has been held back of one kind since its last line. */
interface Held {
  count: number;
  last: { readonly level: Level; readonly module: string; readonly text: string } | undefined;
  timer: Disposable;
}

/**
 * Diagnostics that a peer can cause, as often as he likes: of each kind one line a second reaches the paniclog, and the
 * next one says how many were left out. Nothing is lost but words: whoever counts what happened counts events.
 */
export class Sparing implements Pick<Events, 'diagnose'>, Disposable {
  readonly #events: Pick<Events, 'diagnose'>;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Held>();

  constructor(events: Pick<Events, 'diagnose'>, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  /** For a room that speaks of nothing but what peers cause: one kind for each level and module. */
  diagnose(level: Level, module: string, text: string): void {
    this.tell(`${level} ${module}`, level, module, text);
  }

  /** @param kind  what makes two lines the same trouble: words of the program's, nothing of the peer's */
  tell(kind: string, level: Level, module: string, text: string): void {
    const known = this.#kinds.get(kind) ?? (this.#kinds.size >= MOST_KINDS ? this.#kinds.get(OTHERS) : undefined);
    if (known !== undefined) {
      known.count += 1;
      known.last = { level, module, text };
      return;
    }
    const name = this.#kinds.size >= MOST_KINDS ? OTHERS : kind;
    this.#kinds.set(name, { count: 0, last: undefined, timer: this.#later(name) });
    this.#events.diagnose(level, module, text);
  }

  /** Says what it still held back. */
  [Symbol.dispose](): void {
    for (const held of this.#kinds.values()) {
      held.timer[Symbol.dispose]();
      this.#catchUp(held);
    }
    this.#kinds.clear();
  }

  #later(kind: string): Disposable {
    return this.#clock.at(millis(this.#clock.now() + INTERVAL), () => {
      const held = this.#kinds.get(kind);
      if (held === undefined) return;
      if (held.count === 0) {
        this.#kinds.delete(kind);
        return;
      }
      this.#catchUp(held);
      held.timer = this.#later(kind);
    });
  }

  #catchUp(held: Held): void {
    const { count, last } = held;
    held.count = 0;
    held.last = undefined;
    if (last === undefined) return;
    const others = count - 1;
    const more = others === 0 ? '' : ` (and ${others} more like it)`;
    this.#events.diagnose(last.level, last.module, `${last.text}${more}`);
  }
}
