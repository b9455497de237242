import {
  Lru,
  literalAddress,
  type Millis,
  millis,
  parseAddress,
  parseDomain,
  type Seconds,
  seconds,
} from '../../base/index.ts';
import type { Chance, Clock, DnsAnswer, Names, Network, RecordType } from '../world.ts';
import type { Reply } from './codec.ts';
import { dnsName } from './dns-name.ts';
import { Exchange, type ExchangeSettings } from './exchange.ts';
import { type Hosts, isLocalhost, isNowhere, localAddresses } from './hosts-file.ts';
import { MOST_ALIASES, readAnswer } from './read-answer.ts';
import { type ResolverStatistics, Tally } from './statistics.ts';
import { Turnstile } from './turnstile.ts';

export interface ResolverSettings extends ExchangeSettings {
  /** Names of `hosts(5)`: they are answered without a server. */
  readonly hosts?: Hosts;
  readonly maxCacheEntries: number;
  /** Seconds: how long an answer is kept at least and at most, whatever its zone says. */
  readonly minTtl: Seconds;
  readonly maxTtl: Seconds;
  /** Questions under way at a time (default 1,000), and questions that wait for their turn (default 100,000). */
  readonly maxInFlight?: number;
  readonly maxQueued?: number;
}

export interface Resolver extends Names, Disposable {
  /** @returns what the cache has, with the rest of its lifetime; nobody is asked */
  lookupCached(name: string, type: RecordType): DnsAnswer | undefined;
  /** What the cache has now, for inspection. */
  cached(): Iterable<{ readonly name: string; readonly type: RecordType; readonly answer: DnsAnswer }>;
  /** Forgets one name, or everything. @returns how many answers went */
  flush(name?: string): number;
  /** Drops answers whose lifetime is over; they are never given out, but take up memory. @returns how many went */
  purge(): number;
  readonly statistics: ResolverStatistics;
  /** Questions under way fail as unreachable. */
  close(): void;
}

/** @param world only the network needs to be open: `settings` must name who is to be asked */
export function resolver(
  world: { clock: Clock; chance: Chance; network: Network },
  settings: ResolverSettings,
): Resolver {
  return new CachingResolver(world, settings);
}

/** RFC 2308 §5: what does not exist is worth remembering for hours, not for days. */
const MOST_NEGATIVE = 3 * 3600;
/** RFC 9520 §3.2: failures are remembered too, for a short time, so that a broken zone is not asked by every message. */
const FAILURE_SECONDS = 5;

interface Kept {
  readonly name: string;
  readonly type: RecordType;
  readonly answer: DnsAnswer;
  readonly until: Millis;
}

class CachingResolver implements Resolver {
  readonly #clock: Clock;
  readonly #settings: ResolverSettings;
  readonly #exchange: Exchange;
  readonly #tally = new Tally();
  readonly #cache: Lru<string, Kept>;
  readonly #inFlight = new Map<string, Promise<DnsAnswer>>();
  readonly #turnstile: Turnstile;
  #closed = false;

  constructor(world: { clock: Clock; chance: Chance; network: Network }, settings: ResolverSettings) {
    this.#clock = world.clock;
    this.#settings = settings;
    this.#exchange = new Exchange(world, settings, this.#tally);
    this.#cache = new Lru(settings.maxCacheEntries);
    this.#turnstile = new Turnstile(world.clock, settings.maxInFlight ?? 1000, settings.maxQueued ?? 100_000);
  }

  lookup(name: string, type: RecordType): Promise<DnsAnswer> {
    this.#tally.lookups++;
    const plain = dnsName(name);
    const local = this.#local(name, plain, type);
    if (local) return Promise.resolve(local);
    if (plain === undefined) return Promise.resolve(NO_SUCH_NAME);
    const known = this.#fromCache(plain, type);
    if (known) {
      this.#tally.hits++;
      return Promise.resolve(known);
    }
    const key = `${type} ${plain}`;
    const asked = this.#inFlight.get(key);
    if (asked) return asked;
    const answer = this.#ask(plain, type).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, answer);
    return answer;
  }

  lookupCached(name: string, type: RecordType): DnsAnswer | undefined {
    const plain = dnsName(name);
    return plain === undefined ? undefined : this.#fromCache(plain, type);
  }

  *cached(): Iterable<{ readonly name: string; readonly type: RecordType; readonly answer: DnsAnswer }> {
    const now = this.#clock.now();
    for (const [, kept] of this.#cache) {
      if (kept.until > now) yield { name: kept.name, type: kept.type, answer: aged(kept, now) };
    }
  }

  flush(name?: string): number {
    const before = this.#cache.size;
    if (name === undefined) this.#cache.clear();
    else {
      const plain = dnsName(name);
      for (const [key, kept] of [...this.#cache]) if (kept.name === plain) this.#cache.delete(key);
    }
    return before - this.#cache.size;
  }

  purge(): number {
    return this.#cache.expire(this.#clock.now());
  }

  get statistics(): ResolverStatistics {
    return this.#tally.report(this.#inFlight.size, this.#cache.size);
  }

  close(): void {
    this.#closed = true;
    this.#exchange.close();
    this.#turnstile.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What needs no server: addresses written as names, the hosts file, names that nobody has. */
  #local(name: string, plain: string | undefined, type: RecordType): DnsAnswer | undefined {
    const domain = parseDomain(name);
    const ip = parseAddress(name) ?? (domain && literalAddress(domain));
    if (ip !== undefined) return addresses(type, [ip]);
    if (plain === undefined) return undefined;
    if (isNowhere(plain)) return NO_SUCH_NAME;
    if (type === 'A' || type === 'AAAA') {
      const local = localAddresses(this.#settings.hosts ?? NO_HOSTS, plain, type);
      return local && addresses(type, local);
    }
    return isLocalhost(plain) ? NO_SUCH_DATA : undefined;
  }

  #fromCache(name: string, type: RecordType): DnsAnswer | undefined {
    const now = this.#clock.now();
    const kept = this.#cache.get(`${type} ${name}`, now);
    return kept && aged(kept, now);
  }

  async #ask(name: string, type: RecordType): Promise<DnsAnswer> {
    if (this.#closed) return UNREACHABLE;
    using pass = await this.#turnstile.enter();
    // Beyond the limit it fails: whoever asks can wait better than we can remember.
    if (!pass) return UNREACHABLE;
    const answer = await this.#follow(name, type);
    if (!this.#closed) this.#keep(name, type, answer);
    return answer;
  }

  /** Asks for a name, and for what it is an alias of, until there is an answer. */
  async #follow(name: string, type: RecordType): Promise<DnsAnswer> {
    let at = name;
    let ttl = Number.POSITIVE_INFINITY;
    let authentic = true;
    for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
      const here = at;
      const useful = (reply: Reply): boolean => readAnswer(reply, here, type).kind !== 'lame';
      const reply = await this.#exchange.ask(here, type, useful);
      if (typeof reply === 'string') return { kind: 'failed', why: reply };
      const reading = readAnswer(reply, here, type);
      authentic &&= reply.authentic;
      switch (reading.kind) {
        case 'found':
          return {
            kind: 'found',
            records: reading.records,
            ttl: this.#lifetime(Math.min(ttl, reading.ttl)),
            authentic,
          };
        case 'no data':
        case 'no name':
          return { kind: reading.kind, ttl: this.#lifetime(Math.min(ttl, reading.ttl, MOST_NEGATIVE)) };
        case 'follow': {
          ttl = Math.min(ttl, reading.ttl);
          // Whoever owns the alias chose it. A query for such a name would be garbled, and the server take the blame.
          const next = dnsName(reading.name);
          if (next === undefined) return { kind: 'no name', ttl: this.#lifetime(Math.min(ttl, MOST_NEGATIVE)) };
          at = next;
          break;
        }
        case 'lame':
        case 'endless':
          return { kind: 'failed', why: 'server failure' };
      }
    }
    return { kind: 'failed', why: 'server failure' };
  }

  #lifetime(ttl: number): Seconds {
    return seconds(Math.min(Math.max(ttl, this.#settings.minTtl), this.#settings.maxTtl));
  }

  #keep(name: string, type: RecordType, answer: DnsAnswer): void {
    const lifetime = answer.kind === 'failed' ? FAILURE_SECONDS : answer.ttl;
    if (lifetime <= 0) return;
    const until = millis(this.#clock.now() + lifetime * 1000);
    this.#cache.set(`${type} ${name}`, { name, type, answer, until }, until);
  }
}

const NO_HOSTS: Hosts = new Map();
const NO_SUCH_NAME: DnsAnswer = { kind: 'no name', ttl: seconds(0) };
const NO_SUCH_DATA: DnsAnswer = { kind: 'no data', ttl: seconds(0) };
const UNREACHABLE: DnsAnswer = { kind: 'failed', why: 'unreachable' };
/** Seconds for answers that come from no zone: as long as Momentum gives an address in place of a name. */
const LOCAL_TTL = 600;

function addresses(type: RecordType, ips: readonly string[]): DnsAnswer {
  if (type !== 'A' && type !== 'AAAA') return NO_SUCH_DATA;
  const records = ips.filter((ip) => ip.includes(':') === (type === 'AAAA')).map((address) => ({ type, address }));
  return records.length === 0 ? NO_SUCH_DATA : { kind: 'found', records, ttl: seconds(LOCAL_TTL), authentic: false };
}

/** @returns the answer with what is left of its lifetime */
function aged(kept: Kept, now: Millis): DnsAnswer {
  if (kept.answer.kind === 'failed') return kept.answer;
  return { ...kept.answer, ttl: seconds(Math.ceil((kept.until - now) / 1000)) };
}
