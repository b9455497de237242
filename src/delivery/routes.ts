import { type Domain, Lru, type Millis, millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { reply } from '../smtp/index.ts';
import type { Clock, Names } from '../world/index.ts';
import {
  deliveryMethod,
  dnsFailuresToPurge,
  maxDnsTtl,
  minDnsTtl,
  mxFailuresFallbackToA,
  prohibitedHosts,
  routes as routesOption,
  skipHosts,
  useIpv6,
} from './options.ts';
import { type Resolution, resolve } from './resolution.ts';
import type { Route } from './route.ts';
import type { RouteEntry } from './route-entry.ts';

/** A domain whose look-up failed is asked again after this long. */
const FAILURE_WAIT = 60_000;
/** A record with a TTL of 0 is still used for what is waiting now. */
const LEAST_LIFE = 1000;
const MOST_ROUTES = 100_000;
/** The resolver is said to be dead when so many look-ups have failed in a row, for so long; and not more often. */
const DEAD_AFTER_FAILURES = 5;
const DEAD_AFTER = 60_000;
const ALERT_EVERY = 600_000;
const PURGED = reply(554, '5.4.4', '[internal] Domain Lookup Failed');

interface Entry {
  route: Route | undefined;
  failures: number;
  /** When a failure was last counted towards dns_failures_to_purge. */
  countedAt: number;
  counted: number;
  asking: boolean;
  readonly waiting: Set<() => void>;
}

export interface RoutesHost {
  /** This machine's name: mail is never sent to an exchanger of that name, nor to a worse one. */
  ownName(): string;
  /** Something that an operator must see to. */
  alert(text: string): void;
}

/**
 * The route cache: one entry a routing domain, asked again when its TTL is over (manual: routing domain cache), and one
 * for each binding or group that has `routes` of its own for it.
 */
export class Routes {
  readonly #clock: Clock;
  readonly #names: Names;
  readonly #host: RoutesHost;
  readonly #entries = new Lru<Domain, Entry>(MOST_ROUTES);
  /** What holds for some bindings only, by domain and whose Routes they are. */
  readonly #apart = new Lru<string, Entry>(MOST_ROUTES);
  /** Last time DNS said anything at all: while it says nothing, no domain is given up. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #silentSince: number | undefined;
  #silent = 0;
  #alertedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, names: Names, host: RoutesHost) {
    this.#clock = clock;
    this.#names = names;
    this.#host = host;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * @param view  the options of a pair of that domain
   * @param retryMillis  its retry_interval: failures are counted once in each
   * @param wake  called once when a pending look-up has ended, however often it was handed in
   * @returns undefined while the look-up is under way
   */
  find(domain: Domain, view: View, retryMillis: number, wake: () => void): Route | undefined {
    const whose = apart(view);
    const entry = whose === undefined ? entryIn(this.#entries, domain) : entryIn(this.#apart, `${domain} ${whose}`);
    if (entry.route !== undefined && this.#clock.now() < entry.route.until) return entry.route;
    entry.waiting.add(wake);
    if (!entry.asking) this.#ask(domain, entry, view, retryMillis);
    return undefined;
  }

  /** What is known now, without asking. */
  peek(domain: Domain): Route | undefined {
    return this.#entries.peek(domain)?.route;
  }

  /** Forgets one domain, or all: asked again at the next message. */
  refresh(domain?: Domain): void {
    if (domain === undefined) this.#entries.clear();
    else this.#entries.delete(domain);
    // There are few: asking for some of them once more costs nothing.
    this.#apart.clear();
  }

  #ask(domain: Domain, entry: Entry, view: View, retryMillis: number): void {
    entry.asking = true;
    const fallback = view.get(mxFailuresFallbackToA);
    const listed = routesIn(view);
    const began = this.#clock.now();
    const answered = (found: Resolution): void => {
      entry.asking = false;
      entry.route = this.#judge(domain, entry, found, view, began, retryMillis);
      const waiting = [...entry.waiting];
      entry.waiting.clear();
      for (const wake of waiting) wake();
    };
    resolve(this.#names, domain, {
      entries: listed === undefined || listed.length === 0 ? undefined : listed,
      useIpv6: view.get(useIpv6),
      prohibited: view.get(prohibitedHosts),
      skipped: view.get(skipHosts),
      addressesInstead: fallback === -1 ? entry.failures > 0 : fallback > 0 && entry.failures >= fallback,
      ownName: this.#host.ownName().toLowerCase(),
    }).then(answered, (error: unknown) => {
      // A resolver never rejects; should it do so all the same, no domain must wait for it for ever.
      this.#host.alert(`${domain}: its look-up broke down: ${error instanceof Error ? error.message : String(error)}`);
      answered({ kind: 'failed' });
    });
  }

  #judge(domain: Domain, entry: Entry, found: Resolution, view: View, began: Millis, retryMillis: number): Route {
    const now = this.#clock.now();
    if (found.kind === 'failed') {
      entry.failures++;
      this.#heardNothing(domain, now);
      const others = this.#answeredAt > began - retryMillis;
      if (others && now - entry.countedAt >= retryMillis) {
        entry.countedAt = now;
        entry.counted++;
      }
      const most = view.get(dnsFailuresToPurge);
      const until = millis(now + FAILURE_WAIT);
      if (most > 0 && entry.counted >= most) {
        entry.counted = 0;
        return { kind: 'none', reply: PURGED, until };
      }
      return { kind: 'unknown', failures: entry.failures, until };
    }
    this.#answeredAt = now;
    this.#silentSince = undefined;
    this.#silent = 0;
    entry.failures = 0;
    entry.counted = 0;
    entry.countedAt = Number.NEGATIVE_INFINITY;
    const ttl = Math.min(Math.max(found.ttlSeconds, view.get(minDnsTtl)), view.get(maxDnsTtl)) * 1000;
    const until = millis(now + Math.max(ttl, LEAST_LIFE));
    return found.kind === 'none'
      ? { kind: 'none', reply: found.reply, until }
      : { kind: 'ready', addresses: found.addresses, until };
  }

  #heardNothing(domain: Domain, now: Millis): void {
    this.#silentSince ??= now;
    this.#silent++;
    if (this.#silent < DEAD_AFTER_FAILURES || now - this.#silentSince < DEAD_AFTER) return;
    if (now - this.#alertedAt < ALERT_EVERY) return;
    this.#alertedAt = now;
    const minutes = Math.round((now - this.#silentSince) / 60_000);
    this.#host.alert(
      `DNS: no domain could be looked up for ${minutes} min, the last one was ${domain}. Mail waits for it and is ` +
        'charged nothing. Check the resolver.',
    );
  }
}

/** ECStream goes without (manual page routes). */
const routesIn = (view: View): readonly RouteEntry[] | undefined =>
  view.get(deliveryMethod) === 'ECSTREAM' ? undefined : view.get(routesOption);

/** @returns whose Routes they are when other bindings have others; undefined when they are the same for all */
function apart(view: View): string | undefined {
  const listed = view.get(routesOption);
  if (listed === undefined) return undefined;
  if (listed !== routesIn(view)) return 'ECSTREAM';
  // A stanza within a binding or a binding group.
  const { key } = view.owner(routesOption);
  return key.startsWith('binding') ? key : undefined;
}

function entryIn<K>(cache: Lru<K, Entry>, key: K): Entry {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const entry: Entry = {
    route: undefined,
    failures: 0,
    countedAt: Number.NEGATIVE_INFINITY,
    counted: 0,
    asking: false,
    waiting: new Set(),
  };
  cache.set(key, entry);
  return entry;
}
