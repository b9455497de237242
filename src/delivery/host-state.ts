import { Lru, type Millis, millis } from '../base/index.ts';

/** What is known of one address, seen from one binding. */
export interface HostState {
  /** Not to be tried before, on the clock's scale. */
  badUntil: Millis;
  /** Last time it failed; undefined when it never did. */
  failedAt: Millis | undefined;
  /** Connections that failed since the last session that stood. */
  failures: number;
  open: number;
  /** What the paniclog was told of it last; undefined once a session stood. */
  told: string | undefined;
  /** Decayed averages, milliseconds. */
  connectMillis: number;
  deliveryMillis: number;
}

const MOST_STATES = 100_000;
/** Weight of the newest sample in a decayed average. */
const NEWEST = 0.2;
/** Metrics of an address that nobody talked to are forgotten (address_metrics_lifetime). */
const LIFETIME = 1800_000;

/** Health and speed of every (binding, address) that was talked to lately (spec/delivery 7.3). */
export class HostStates {
  readonly #states = new Lru<string, HostState>(MOST_STATES);

  of(binding: string, ip: string, port: number, now: Millis): HostState {
    const key = `${binding} ${ip} ${port}`;
    let state = this.#states.get(key, now);
    if (state === undefined)
      state = {
        badUntil: millis(0),
        failedAt: undefined,
        failures: 0,
        open: 0,
        told: undefined,
        connectMillis: 0,
        deliveryMillis: 0,
      };
    this.#states.set(key, state, millis(now + LIFETIME));
    return state;
  }
}

/** @returns the average with one more sample in it; the first sample is the average */
export const decayed = (average: number, sample: number): number =>
  average === 0 ? sample : average + NEWEST * (sample - average);
