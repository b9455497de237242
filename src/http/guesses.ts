import { createHmac } from 'node:crypto';
import { GuessBrake, networkOf } from '../auth/index.ts';
import { Lru, type Millis, millis } from '../base/index.ts';
import type { Chance, Clock } from '../world/index.ts';
import { type Refusal, refusal } from './answer.ts';

/** Logins that have been right, and how long they are known by. */
const MOST_PROVEN = 10_000;
const PROVEN_MILLIS = 86_400_000;

export interface GuessesParts {
  readonly clock: Clock;
  readonly chance: Chance;
  /** Counts wrong passwords; other doors may count with it. */
  readonly brake: GuessBrake;
}

/** A login as a request brings it. */
export interface Attempt {
  readonly ip: string;
  readonly user: string;
  /** What only somebody has who knows the password: itself, or a nonce that it was used with. */
  readonly proof: string;
}

/** A password of an address that is being looked at. */
interface Turn {
  readonly over: Promise<void>;
  /** When its answer goes out, once it is known. */
  until: Millis | undefined;
}

/**
 * Makes guessing over HTTP slow, where a client may ask a thousand things at once. As at the door of SMTP answers are
 * held back after the fourth failure of an address or for a user. Besides, unknown logins of one address (a /64 of IPv6)
 * are looked at one after the other; while one is held back for its address, others get 429 and are not looked at.
 *
 * A client that was right before, from the same place and with the same password, waits for nothing: neither who knows
 * its name nor a neighbour behind its router can lock it out. Its password is checked all the same.
 */
export class Guesses {
  readonly #clock: Clock;
  readonly #brake: GuessBrake;
  readonly #secret: Uint8Array;
  readonly #proven = new Lru<string, true>(MOST_PROVEN);
  readonly #turns = new Map<string, Turn>();
  /** Apart from passwords: a program with an old key must not slow down the people beside it. */
  readonly #keys = new GuessBrake();

  constructor({ clock, chance, brake }: GuessesParts) {
    this.#clock = clock;
    this.#brake = brake;
    this.#secret = chance.bytes(32);
  }

  /** @param check what the attempt is worth; `stale` knows the password, and has to come again */
  async passes<T extends 'right' | 'wrong' | 'stale' | 'unavailable'>(
    attempt: Attempt,
    check: () => Promise<T>,
  ): Promise<T | Refusal> {
    const network = networkOf(attempt.ip);
    const mark = this.#markOf(network, attempt);
    for (;;) {
      if (this.#proven.get(mark, this.#clock.now()) !== undefined) {
        const verdict = await check();
        if (verdict === 'wrong') {
          this.#proven.delete(mark);
          this.#brake.failed(attempt.ip, attempt.user, this.#clock.now());
        }
        return verdict;
      }
      const turn = this.#turns.get(network);
      if (turn === undefined) break;
      const now = this.#clock.now();
      const wait = this.#brake.delay(attempt.ip, undefined, now);
      if (wait > 0) return tooMany('logins', turn.until === undefined ? wait : millis(turn.until - now));
      await turn.over;
    }
    return this.#taken(attempt, network, mark, check);
  }

  /** A key that nobody knows. @returns another refusal than usual, when there were too many */
  unknownKey(ip: string): Refusal | undefined {
    const now = this.#clock.now();
    this.#keys.failed(ip, undefined, now);
    const wait = this.#keys.delay(ip, undefined, now);
    return wait > 0 ? tooMany('keys', wait) : undefined;
  }

  async #taken<T extends 'right' | 'wrong' | 'stale' | 'unavailable'>(
    { ip, user }: Attempt,
    network: string,
    mark: string,
    check: () => Promise<T>,
  ): Promise<T> {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const turn: Turn = { over, until: undefined };
    this.#turns.set(network, turn);
    const leave = (): void => {
      if (this.#turns.get(network) === turn) this.#turns.delete(network);
      end();
    };
    try {
      const verdict = await check();
      if (verdict === 'unavailable') return verdict;
      const now = this.#clock.now();
      if (verdict === 'wrong') this.#brake.failed(ip, user, now);
      const until = millis(now + this.#brake.delay(ip, user, now));
      // Held back for the name alone, it must not stand in the way of others from there.
      if (this.#brake.delay(ip, undefined, now) > 0) turn.until = until;
      else leave();
      if (until > now) await new Promise<void>((resolve) => void this.#clock.at(until, resolve));
      if (verdict === 'right') {
        this.#brake.succeeded(user);
        this.#proven.set(mark, true, millis(this.#clock.now() + PROVEN_MILLIS));
      }
      return verdict;
    } finally {
      leave();
    }
  }

  #markOf(network: string, { user, proof }: Attempt): string {
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([network, user, proof]))
      .digest('base64');
  }
}

const tooMany = (what: string, wait: Millis): Refusal =>
  refusal('1100', `too many wrong ${what} came from this address`, {
    status: 429,
    message: 'Too many requests.',
    headers: { 'retry-after': String(Math.max(1, Math.ceil(wait / 1000))) },
  });
