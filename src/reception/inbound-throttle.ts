import { type Millis, millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { Throttle } from '../shaping/index.ts';
import type { Clock } from '../world/index.ts';
import { idleTime, inboundThrottleMessages } from './options.ts';

/** A client waits at most half of its idle time; where that is for ever, half of the default. */
const LONGEST_WAIT_MILLIS = 150_000;

interface Waiter {
  readonly told: (free: boolean) => void;
  readonly timer: Disposable;
}

/** One `Inbound_Throttle_Messages`: what may come in, and who waits for it, first come first served. */
class Bucket {
  throttle: Throttle;
  readonly waiting = new Set<Waiter>();
  #timer: Disposable | undefined = undefined;
  readonly #clock: Clock;

  constructor(clock: Clock, count: number, seconds: number) {
    this.#clock = clock;
    this.throttle = new Throttle(count, seconds);
  }

  pass(wait: number, told: (free: boolean) => void): Disposable | undefined {
    const now = this.#clock.now();
    if (this.waiting.size === 0 && this.throttle.room(1, now) > 0) {
      this.throttle.take(1, now);
      told(true);
      return undefined;
    }
    const waiter: Waiter = {
      told,
      timer: this.#clock.at(millis(now + wait), () => {
        this.#leave(waiter);
        told(false);
      }),
    };
    this.waiting.add(waiter);
    this.#watch(now);
    return { [Symbol.dispose]: () => this.#leave(waiter) };
  }

  #leave(waiter: Waiter): void {
    waiter.timer[Symbol.dispose]();
    if (!this.waiting.delete(waiter) || this.waiting.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #watch(now: Millis): void {
    if (this.#timer !== undefined) return;
    // The present slot of the window is not over before it has ended: to look again within it is in vain.
    const due = Math.max(this.throttle.recovery(now), now + 1);
    this.#timer = this.#clock.at(millis(due), () => {
      this.#timer = undefined;
      this.#serve();
    });
  }

  #serve(): void {
    const now = this.#clock.now();
    for (const waiter of [...this.waiting].slice(0, this.throttle.room(this.waiting.size, now))) {
      if (!this.waiting.has(waiter)) continue;
      this.#leave(waiter);
      this.throttle.take(1, now);
      waiter.told(true);
    }
    if (this.waiting.size > 0) this.#watch(now);
  }
}

/** The buckets of Inbound_Throttle_Messages: one for each stanza that sets it, and all whom that stanza serves share it. */
export class InboundThrottles {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A message would come in.
   *
   * @param told  whether it may: called within the call when nobody has to wait, else later, false when that takes too long
   * @param idle  seconds after which its session would be idle
   * @returns ends the wait of a client that has gone; undefined when there is none
   */
  pass(view: View, told: (free: boolean) => void, idle: number = view.get(idleTime)): Disposable | undefined {
    const value = view.get(inboundThrottleMessages);
    if (value === undefined) {
      told(true);
      return undefined;
    }
    const { key } = view.owner(inboundThrottleMessages);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new Bucket(this.#clock, value.count, value.seconds);
      this.#buckets.set(key, bucket);
    }
    // Another count keeps what was taken; another window begins anew, and who waits goes on waiting.
    if (bucket.throttle.seconds !== value.seconds) bucket.throttle = new Throttle(value.count, value.seconds);
    bucket.throttle.count = value.count;
    return bucket.pass(idle > 0 ? idle * 500 : LONGEST_WAIT_MILLIS, told);
  }
}
