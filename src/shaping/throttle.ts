import { type Millis, millis, Ring } from '../base/index.ts';

const SLOTS = 65;
/** A connection that has not asked for its unit by then will not need it soon: its host may be dead. */
const CLAIM_LIFE = 2000;

/** A unit that somebody is about to take: others leave it alone for a while. */
class Claim implements Disposable {
  readonly until: Millis;
  readonly #throttle: Throttle;
  settled = false;

  constructor(throttle: Throttle, until: Millis) {
    this.#throttle = throttle;
    this.until = until;
  }

  /** The claimer asks now, or never will. */
  [Symbol.dispose](): void {
    if (this.settled) return;
    this.settled = true;
    this.#throttle.claimed--;
  }
}

/**
 * At most `count` units in any window of `seconds`: a sliding window of 64 full slots and a current one, so that the
 * bound holds wherever the window begins (spec/delivery 5.4). One bucket belongs to the stanza that declares it; all
 * who fall back to that stanza share it.
 */
export class Throttle {
  count: number;
  readonly seconds: number;
  readonly slotMillis: number;
  readonly #slots = new Float64Array(SLOTS);
  /** Number of the current slot since the clock's zero. */
  #current = 0;
  #sum = 0;
  /** Oldest first. */
  readonly #claims = new Ring<Claim>();
  /** For claims only: how many of them are not settled. */
  claimed = 0;

  constructor(count: number, seconds: number) {
    this.count = count;
    this.seconds = seconds;
    this.slotMillis = (seconds * 1000) / (SLOTS - 1);
  }

  /** @returns units that may be taken now, at most `wanted`; those that are claimed may not */
  room(wanted: number, now: Millis): number {
    this.#advance(now);
    const free = this.count - this.#sum;
    return Math.max(0, Math.min(wanted, this.#claims.length === 0 ? free : free - this.#live(now)));
  }

  /** Whoever opens a connection in order to take a unit: before others, who may be quicker, have taken it. */
  claim(now: Millis): Disposable {
    this.#live(now);
    const claim = new Claim(this, millis(now + CLAIM_LIFE));
    this.#claims.push(claim);
    this.claimed++;
    return claim;
  }

  take(units: number, now: Millis): void {
    this.#advance(now);
    const slot = this.#current % SLOTS;
    this.#slots[slot] = (this.#slots[slot] ?? 0) + units;
    this.#sum += units;
  }

  /** @returns when there may be room: the oldest counted units leave the window then, or a claim will be settled */
  recovery(now: Millis): Millis {
    this.#advance(now);
    if (this.#sum < this.count) return this.#live(now) > 0 ? millis(now + CLAIM_LIFE / 2) : now;
    for (let back = SLOTS - 1; back >= 0; back--) {
      const number = this.#current - back;
      if (number >= 0 && (this.#slots[number % SLOTS] ?? 0) > 0) return millis((number + SLOTS) * this.slotMillis);
    }
    return now;
  }

  /** @returns claims that still hold */
  #live(now: Millis): number {
    for (let oldest = this.#claims.peek(); oldest !== undefined; oldest = this.#claims.peek()) {
      if (!oldest.settled && oldest.until > now) break;
      oldest[Symbol.dispose]();
      this.#claims.shift();
    }
    return this.claimed;
  }

  #advance(now: Millis): void {
    const current = Math.floor(now / this.slotMillis);
    const steps = Math.min(current - this.#current, SLOTS);
    for (let i = 1; i <= steps; i++) {
      const slot = (current - steps + i) % SLOTS;
      this.#sum -= this.#slots[slot] ?? 0;
      this.#slots[slot] = 0;
    }
    if (current > this.#current) this.#current = current;
  }
}
