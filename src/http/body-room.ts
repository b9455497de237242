import { RefusedRequest, refusal } from './answer.ts';
import { MOST_BYTES } from './options.ts';

/** Bodies that are under way, all together: the largest, and room beside it for those of everybody else. */
const MOST_TOGETHER = MOST_BYTES + 100 * 1024 * 1024;
/** Seconds after which there may be room again. */
const COME_AGAIN = '10';

/** Memory for bodies. One client may have one that is large; a dozen of them must not have a dozen. */
export class BodyRoom {
  readonly #most: number;
  #taken = 0;

  constructor(most: number = MOST_TOGETHER) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** For one request, from its first byte to its answer. */
  share(): BodyShare {
    return new BodyShare((bytes) => {
      if (bytes > 0 && this.#taken + bytes > this.#most) return false;
      this.#taken += bytes;
      return true;
    });
  }
}

/** What one request holds of it. */
export class BodyShare implements Disposable {
  readonly #add: (bytes: number) => boolean;
  #bytes = 0;

  constructor(add: (bytes: number) => boolean) {
    this.#add = add;
  }

  /** It has so many bytes by now. @throws RefusedRequest 503 when there is no room for them */
  hold(bytes: number): void {
    const more = bytes - this.#bytes;
    if (more <= 0) return;
    if (!this.#add(more)) throw new RefusedRequest(NO_ROOM);
    this.#bytes = bytes;
  }

  [Symbol.dispose](): void {
    this.#add(-this.#bytes);
    this.#bytes = 0;
  }
}

const NO_ROOM = refusal('1502', 'too many large requests are under way', { headers: { 'retry-after': COME_AGAIN } });
