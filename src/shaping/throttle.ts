import { type Millis, millis } from '../base/index.ts';

const SLOTS = 65;

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

  constructor(count: number, seconds: number) {
    this.count = count;
    this.seconds = seconds;
    this.slotMillis = (seconds * 1000) / (SLOTS - 1);
  }

  /** @returns units that may be taken now, at most `wanted` */
  room(wanted: number, now: Millis): number {
    this.#advance(now);
    return Math.max(0, Math.min(wanted, this.count - this.#sum));
  }

  take(units: number, now: Millis): void {
    this.#advance(now);
    const slot = this.#current % SLOTS;
    this.#slots[slot] = (this.#slots[slot] ?? 0) + units;
    this.#sum += units;
  }

  /** @returns when the oldest counted units leave the window: the earliest time at which there can be room */
  recovery(now: Millis): Millis {
    this.#advance(now);
    if (this.#sum < this.count) return now;
    for (let back = SLOTS - 1; back >= 0; back--) {
      const number = this.#current - back;
      if (number >= 0 && (this.#slots[number % SLOTS] ?? 0) > 0) return millis((number + SLOTS) * this.slotMillis);
    }
    return now;
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
