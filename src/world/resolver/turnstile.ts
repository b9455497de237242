import { type Millis, millis, Ring } from '../../base/index.ts';
import type { Clock } from '../world.ts';

/**
 * So many questions may be new and unanswered at a time, and for so long a question is new. The receive buffer of a
 * name server by default holds fewer than three hundred datagrams: of a thousand sent at once a fifth was lost, and
 * waited for its timeout. Old questions wait for servers far away, and are in nobody's buffer.
 */
const MOST_NEW = 150;
const NEW = 50;

/** Leave to ask. Disposing it makes room for the next one. */
export interface Pass extends Disposable {
  readonly from: Millis;
}

/** Lets in so many at a time, and not too many at once; the others wait in order. */
export class Turnstile {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting = new Ring<(pass: Pass | undefined) => void>();
  /** Those that came in lately, the oldest first. */
  readonly #recent = new Ring<Entrant>();
  #inside = 0;
  #fresh = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock, most: number, mostWaiting: number) {
    this.#clock = clock;
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** @returns undefined when too many wait, or it was closed */
  enter(): Promise<Pass | undefined> {
    const pass = this.#waiting.length === 0 ? this.#admit() : undefined;
    if (pass) return Promise.resolve(pass);
    if (this.#waiting.length >= this.#mostWaiting) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#letIn();
    });
  }

  /** Turns away all who wait. */
  close(): void {
    this.#timer?.[Symbol.dispose]();
    for (let tell = this.#waiting.shift(); tell; tell = this.#waiting.shift()) tell(undefined);
  }

  /** For passes only. */
  left(entrant: Entrant): void {
    this.#inside--;
    if (entrant.fresh) this.#fresh--;
    this.#letIn();
  }

  #admit(): Pass | undefined {
    const now = this.#clock.now();
    for (let oldest = this.#recent.peek(); oldest && oldest.from + NEW <= now; oldest = this.#recent.peek()) {
      this.#recent.shift();
      if (oldest.fresh && !oldest.gone) this.#fresh--;
      oldest.fresh = false;
    }
    if (this.#inside >= this.#most || this.#fresh >= MOST_NEW) return undefined;
    const entrant = new Entrant(this, now);
    this.#recent.push(entrant);
    this.#inside++;
    this.#fresh++;
    return entrant;
  }

  #letIn(): void {
    while (this.#waiting.length > 0) {
      const pass = this.#admit();
      if (!pass) break;
      this.#waiting.shift()?.(pass);
    }
    const oldest = this.#recent.peek();
    // When all places are taken, somebody will leave. Only with too many new ones time alone may help.
    if (this.#waiting.length === 0 || this.#inside >= this.#most || this.#timer || !oldest) return;
    this.#timer = this.#clock.at(millis(oldest.from + NEW), () => {
      this.#timer = undefined;
      this.#letIn();
    });
  }
}

class Entrant implements Pass {
  readonly from: Millis;
  readonly #turnstile: Turnstile;
  fresh = true;
  gone = false;

  constructor(turnstile: Turnstile, from: Millis) {
    this.#turnstile = turnstile;
    this.from = from;
  }

  [Symbol.dispose](): void {
    if (this.gone) return;
    this.gone = true;
    this.#turnstile.left(this);
  }
}
