import { createHash } from 'node:crypto';
import { inMillis, Lru, millis, seconds } from '../base/index.ts';
import { type Answer, refusal } from '../http/index.ts';
import type { Clock } from '../world/index.ts';

/** Answers that are remembered, and for how long. */
const KEPT = 100_000;
const LIFETIME = inMillis(seconds(86_400));
export const LONGEST_KEY = 255;

interface Known {
  readonly request: string;
  readonly answer: Promise<Answer>;
}

/**
 * `Idempotency-Key`: a request that comes again is answered as it was, and not served twice. Answers are remembered for a
 * day, as long as the server runs; refusals are not remembered, so that a request may be mended and sent again.
 */
export class Idempotency {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #known = new Lru<string, Known>(KEPT);
  /** Under way now: they are never pushed out. */
  readonly #busy = new Map<string, Known>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @param whose who sends it: keys of others are others */
  async once(key: string | undefined, whose: string, body: unknown, serve: () => Promise<Answer>): Promise<Answer> {
    if (key === undefined) return serve();
    if (key.length > LONGEST_KEY || !/^[\x21-\x7e][\x20-\x7e]*$/.test(key))
      return refusal('1200', `Idempotency-Key has 1 to ${LONGEST_KEY} printable ASCII characters`);
    const name = `${whose}\n${key}`;
    const request = createHash('sha256').update(JSON.stringify(body)).digest('base64');
    const before = this.#busy.get(name) ?? this.#known.get(name, this.#clock.now());
    if (before !== undefined) {
      if (before.request === request) return before.answer;
      return refusal('1602', 'this Idempotency-Key was used for another request');
    }
    const known: Known = { request, answer: serve() };
    this.#busy.set(name, known);
    try {
      const answer = await known.answer;
      if (answer.kind !== 'refusal') this.#known.set(name, known, millis(this.#clock.now() + LIFETIME));
      return answer;
    } finally {
      this.#busy.delete(name);
    }
  }
}
