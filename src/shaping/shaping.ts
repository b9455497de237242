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
  readonly #hosts = new Map<string, Cap>();
  readonly #throttles = new Map<string, Throttle>();
  readonly #current: () => Generation;

  constructor(current: () => Generation) {
    this.#current = current;
  }

  get generation(): Generation {
    return this.#current();
  }

  /** The count that belongs to one stanza: there are as many as stanzas that ever set such a cap. */
  cap(kind: string, key: string): Cap {
    const full = `${kind} ${key}`;
    let cap = this.#caps.get(full);
    if (cap === undefined) {
      cap = new Cap();
      this.#caps.set(full, cap);
    }
    return cap;
  }

  /**
   * The count of one binding and MX host. Hosts come and go without end, so it lives only while somebody counts or
   * waits there: ask for it each time, and keep it no longer than a grant does.
   */
  hostCap(binding: BindingName, host: string): Cap {
    const key = `${binding} ${host}`;
    let cap = this.#hosts.get(key);
    if (cap === undefined) {
      const made: Cap = new Cap(() => {
        if (this.#hosts.get(key) === made) this.#hosts.delete(key);
      });
      cap = made;
      this.#hosts.set(key, cap);
    }
    return cap;
  }

  /** How many connections that count is at; asking makes no count. */
  openTo(binding: BindingName, host: string): number {
    return this.#hosts.get(`${binding} ${host}`)?.open ?? 0;
  }

  /** MX hosts, each seen from one binding, that have connections now. */
  get countedHosts(): number {
    return this.#hosts.size;
  }

  /**
   * The bucket of the stanza that declares a throttle; undefined when there is none. A commit that changes only the
   * count keeps what was taken: nobody gets a second helping by editing a file.
   */
  throttle(
    option: Option<ThrottleValue | undefined>,
    owner: StanzaId,
    value: ThrottleValue | undefined,
  ): Throttle | undefined {
    if (value === undefined) return undefined;
    const key = `${option.name} ${owner.key}`;
    let throttle = this.#throttles.get(key);
    if (throttle === undefined || throttle.seconds !== value.seconds) {
      throttle = new Throttle(value.count, value.seconds);
      this.#throttles.set(key, throttle);
    }
    throttle.count = value.count;
    return throttle;
  }
}

/** What names a pair. */
export interface PairName {
  readonly binding: BindingName;
  readonly domain: Domain;
}
