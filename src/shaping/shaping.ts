import type { BindingName, Domain } from '../base/index.ts';
import type { Generation, Option, StanzaId, ThrottleValue } from '../config/index.ts';
import { Cap } from './cap.ts';
import { Throttle } from './throttle.ts';

/**
 * All counters and buckets of one event loop. What several pairs share is found by the stanza that set it (by
 * reference, spec/config 7.4), so a commit that spares the stanza keeps its bucket and its count.
 */
export class Shaping {
  readonly server = new Cap();
  readonly #caps = new Map<string, Cap>();
  readonly #throttles = new Map<string, Throttle>();
  readonly #current: () => Generation;

  constructor(current: () => Generation) {
    this.#current = current;
  }

  get generation(): Generation {
    return this.#current();
  }

  /** The count that belongs to one stanza, or to one name of a kind. */
  cap(kind: string, key: string): Cap {
    const full = `${kind} ${key}`;
    let cap = this.#caps.get(full);
    if (cap === undefined) {
      cap = new Cap();
      this.#caps.set(full, cap);
    }
    return cap;
  }

  /** The bucket of the stanza that declares a throttle; undefined when there is none. */
  throttle(
    option: Option<ThrottleValue | undefined>,
    owner: StanzaId,
    value: ThrottleValue | undefined,
  ): Throttle | undefined {
    if (value === undefined) return undefined;
    const key = `${option.name} ${owner.key} ${value.count}/${value.seconds}`;
    let throttle = this.#throttles.get(key);
    if (throttle === undefined) {
      throttle = new Throttle(value.count, value.seconds);
      this.#throttles.set(key, throttle);
    }
    return throttle;
  }
}

/** What names a pair, and the group its options are looked up with. */
export interface PairName {
  readonly group: string;
  readonly binding: BindingName;
  readonly domain: Domain;
}
