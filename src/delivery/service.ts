import { family, inMillis, type Millis, millis } from '../base/index.ts';
import { type Attempt, type Item, type Judged, type Outcome, type Pair, retryInterval } from '../queue/index.ts';
import { type Gate, type Grant, gate, maxDeliveriesPerConnection } from '../shaping/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import { tlsDemands } from '../tls/index.ts';
import type { Clock, NetworkError } from '../world/index.ts';
import { type Choice, chooseHost } from './choose-host.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import { type ConnectionSettings, timeoutsOf } from './connection-settings.ts';
import type { Crew, Served } from './crew.ts';
import type { HostState } from './host-state.ts';
import type { OpenConnection } from './open-connection.ts';
import {
  bindAddress,
  connectTimeoutToDelay,
  deliveryMethod,
  ehloHostname,
  hostFailureRetry,
  maxRecipientsPerConnection,
  mxFailuresToDelay,
  pipelineOut,
  portOf,
  preferIpv6Mxs,
  tcp,
} from './options.ts';
import { outboundAuth } from './outbound-auth.ts';
import type { Route, RouteAddress } from './route.ts';
import { StreamConnection } from './stream-connection.ts';
import { streamTrouble } from './stream-demands.ts';
import { TlsMemory } from './tls-memory.ts';

const DNS = gate('DNS');
const NO_HOST = gate('no usable host');
const FOR_EVER = millis(Number.POSITIVE_INFINITY);
/** New connections in one run: the loop stays responsive (spec/delivery 5.2). */
const MOST_OPENED_AT_ONCE = 64;
const MOST_FAILED_AT_ONCE = 1000;
/** A connection that others wait for goes when it has had its turn: a long queue must not keep out short ones. */
const TURN = 10_000;
/** With `host_failure_retry = 0` a dead host would be tried without end. */
const LEAST_FAILURE_RETRY = 1000;
/** What this machine lacks may be there again soon. */
const TROUBLE_WAIT = 10_000;
/** Failures longer ago than this say nothing about a domain (address_metrics_lifetime). */
const FAILURE_MEMORY = 1_800_000;
const UNREACHABLE = reply(421, '4.4.0', '[internal] no mail servers for this domain could be reached at this time');
const NO_CONNECTION = reply(451, '4.4.1', '[internal] No valid hosts (unable to make any connections)');
const NOTHING: readonly Item[] = [];

/** A connection that never became a session. `why` where the log has a text of its own. */
interface Failure {
  readonly settings: ConnectionSettings;
  readonly stage: number;
  readonly why?: Reply;
}

/**
 * Delivery for one pair: how many connections, to which addresses, and what each of them sends. A pair has one as long
 * as it lives.
 */
export class PairService implements ConnectionOwner<OpenConnection>, Served {
  readonly clock: Clock;
  readonly spool: Spool;
  readonly pair: Pair;
  readonly #crew: Crew;
  readonly #connections = new Map<OpenConnection, Grant>();
  /** Those that wait to be woken, the one that waits longest first. */
  readonly #idle = new Set<OpenConnection>();
  /** Connections in which the peer was ready for mail. */
  #standing = 0;
  /** Connection failures while no session stands, when they began and when the last one was. */
  #failures = 0;
  #failingSince: Millis | undefined;
  #failedAt: Millis | undefined;
  /** No connection is tried before: the machine itself could not open the last one. */
  #troubledUntil = millis(Number.NEGATIVE_INFINITY);
  /** The last address that failed, for the log. */
  #lastFailure: Failure | undefined;
  readonly #tls = new TlsMemory();
  readonly #resolved = (): void => this.#crew.wake(this.pair);

  constructor(crew: Crew, pair: Pair) {
    this.#crew = crew;
    this.clock = crew.clock;
    this.spool = crew.spool;
    this.pair = pair;
  }

  get connections(): Iterable<OpenConnection> {
    return this.#connections.keys();
  }

  get open(): number {
    return this.#connections.size;
  }

  /** Connection failures since the last session that stood. */
  get failures(): number {
    return this.#failures;
  }

  /** Wakes idle connections, and opens more as long as the queue wants and the limits allow. */
  serve(): void {
    const { pair } = this;
    const { limits } = pair;
    // The last to rest is woken first, so that those the queue has no use for may go.
    for (const idle of [...this.#idle].reverse()) if (pair.active > 0) idle.wake();
    for (let opened = 0; pair.active > 0; opened++) {
      if (this.#connections.size >= Math.max(1, limits.goal(pair.active)) && !limits.suspended) return;
      // As long as nobody answers, one connection at a time finds out; it brings us here again when it knows.
      if (this.#failures > 0 && this.#standing === 0 && this.#connections.size > 0) return;
      if (opened === MOST_OPENED_AT_ONCE) {
        this.#crew.wake(pair);
        return;
      }
      if (!this.#openOne()) return;
    }
  }

  /** @returns false when no more connections can be opened now; why stands in the pair's gate */
  #openOne(): boolean {
    const { pair } = this;
    const { limits } = pair;
    const now = this.clock.now();
    if (now < this.#troubledUntil) return this.#held(NO_HOST, this.#troubledUntil);
    if (!limits.mayConnect(now)) return this.#held(limits.gate, limits.until);
    const { view } = limits;
    const wrong = view.get(deliveryMethod) === 'ECSTREAM' ? streamTrouble(view, pair.domain) : undefined;
    if (wrong !== undefined) {
      pair.delayAll({ kind: 'deferred', reply: wrong, attempt: this.#crew.noAttempt });
      return false;
    }
    const route = this.#crew.routes.find(pair.domain, view, inMillis(view.get(retryInterval)), this.#resolved);
    if (route === undefined) return this.#held(DNS, FOR_EVER);
    if (route.kind === 'unknown') return this.#held(DNS, route.until);
    if (route.kind === 'none') return this.#noRoute(route);
    return this.#connect(route.addresses, now);
  }

  /** A pair with connections is not held: they take the next messages. But it may want more of them then. */
  #held(why: Gate, until: Millis): false {
    // A throttle of one connection a minute must not make each of them the one that finds out that there is no TLS.
    if (until < FOR_EVER) this.#tls.postpone(this.clock.now(), until);
    if (this.#connections.size === 0 || this.pair.limits.suspended) this.pair.hold(why, until);
    else this.pair.comeBack(until);
    return false;
  }

  #noRoute(route: Extract<Route, { kind: 'none' }>): false {
    const { pair } = this;
    for (let count = 0; ; ) {
      // A queue of a million must not stop the loop.
      if (count >= MOST_FAILED_AT_ONCE) {
        this.#crew.wake(pair);
        return false;
      }
      const items = pair.take(Number.MAX_SAFE_INTEGER);
      if (items.length === 0) return false;
      count += items.length;
      this.settle(items, () => ({ kind: 'failed', reply: route.reply, attempt: this.#crew.noAttempt }));
    }
  }

  #connect(addresses: readonly RouteAddress[], now: Millis): boolean {
    const { pair } = this;
    const { limits } = pair;
    const { view } = limits;
    const from = view.get(bindAddress);
    const method = view.get(deliveryMethod);
    const defaultPort = portOf(view);
    const stateOf = (address: RouteAddress): HostState =>
      this.#crew.hosts.of(pair.binding, address.ip, address.port ?? defaultPort, now);
    const rules = {
      onlyFamily: from === '*' ? undefined : family(from),
      preferIpv6: view.get(preferIpv6Mxs),
      shunnedUntil: (address: RouteAddress) => this.#tls.shunnedUntil(address),
    };
    const choose = (among: readonly RouteAddress[]): Choice =>
      chooseHost(among, stateOf, limits, this.#crew.chance, now, rules);
    const plain = this.#tls.plainNext(now);
    const inClear = plain === undefined ? undefined : choose([plain]);
    const givenUp = inClear?.kind === 'address';
    // As long as the one in clear text has to wait, others may be tried.
    const choice = givenUp ? inClear : choose(addresses);
    if (choice.kind === 'limited') return this.#held(choice.gate, choice.until);
    if (choice.kind === 'all bad') return this.#nobodyThere(choice.until, choice.failures);
    if (choice.kind === 'out of reach') {
      // Nothing that time alone would mend: each message is tried again at its own time, and expires in the end.
      pair.delayAll({ kind: 'deferred', reply: NO_CONNECTION, attempt: this.#crew.noAttempt });
      return false;
    }
    const { address, state } = choice;
    const port = address.port ?? defaultPort;
    const named = view.get(ehloHostname);
    const connection: OpenConnection = new (method === 'ECSTREAM' ? StreamConnection : Connection)(this, {
      id: this.#crew.ids.next(this.clock.date()),
      number: this.#crew.nextNumber(),
      address,
      port,
      state,
      view,
      ehloName: named === '__hostname__' ? this.#crew.hostName() : named,
      method,
      pipelining: view.get(pipelineOut),
      tls: {
        demands: tlsDemands(view),
        context: this.#crew.tls.client(view),
        names: [pair.domain, address.host],
        givenUp,
      },
      auth: outboundAuth(view),
      timeouts: timeoutsOf(view),
    });
    if (givenUp) this.#tls.plainTried();
    pair.release();
    this.#connections.set(connection, limits.connect(address.host, now));
    state.open++;
    connection.start(this.#crew.network.connect(tcp(address.ip, port), from === '*' ? undefined : from, connection));
    return true;
  }

  /** Every address failed lately. One message is charged for the attempt that has just ended, the others wait. */
  #nobodyThere(until: Millis, failures: number): false {
    const { pair } = this;
    const last = this.#lastFailure;
    if (last !== undefined && this.#connections.size === 0) {
      this.#lastFailure = undefined;
      const { id, address, view } = last.settings;
      const attempt: Attempt = {
        stage: last.stage,
        connectionId: id,
        address: address.ip,
        host: address.host,
        bytes: 0,
        generation: view.generation,
      };
      if (this.#massDelay(failures)) {
        pair.delayAll({ kind: 'deferred', reply: last.why ?? NO_CONNECTION, attempt });
      } else {
        const outcome: Judged = { kind: 'deferred', reply: last.why ?? UNREACHABLE, attempt };
        this.settle(pair.take(1), () => outcome);
      }
    }
    return this.#held(NO_HOST, until);
  }

  /** Whether the domain has been out of reach for so long, or so often, that its whole queue is delayed (3.6). */
  #massDelay(failures: number): boolean {
    const { view } = this.pair.limits;
    const most = view.get(mxFailuresToDelay);
    const since = this.#failingSince;
    const longest = inMillis(view.get(connectTimeoutToDelay));
    return (
      (most > 0 && failures >= most) || (since !== undefined && longest > 0 && this.clock.now() - since >= longest)
    );
  }

  work(connection: OpenConnection): readonly Item[] {
    const { pair } = this;
    if (pair.active === 0) return NOTHING;
    const { limits } = pair;
    const { view } = limits;
    const most = view.get(maxDeliveriesPerConnection);
    // Those under way are taken for deliveries: so it may be one connection more, but never one delivery.
    const left = most > 0 ? most - connection.deliveries - connection.undecided : Number.MAX_SAFE_INTEGER;
    const now = this.clock.now();
    const grant = this.#connections.get(connection);
    const mostTried = view.get(maxRecipientsPerConnection);
    const tries = mostTried > 0 ? mostTried - connection.recipients : Number.MAX_SAFE_INTEGER;
    if (
      left <= 0 ||
      tries <= 0 ||
      this.#outdated(connection) ||
      (now - connection.openedAt >= TURN && grant?.wanted === true)
    ) {
      this.#dismiss(connection);
      return NOTHING;
    }
    const { settings } = connection;
    grant?.ask();
    const units = limits.room(settings.address.host, Math.min(left, tries), now);
    if (units === 0) {
      pair.hold(limits.gate, limits.until);
      // A session waits for a short time, not for a long one (spec 5.4).
      if (limits.until - now > settings.timeouts.idle) this.#dismiss(connection);
      return NOTHING;
    }
    const { mostRecipients } = connection;
    const items = pair.take(mostRecipients > 0 ? Math.min(units, mostRecipients) : units);
    if (items.length === 0) return items;
    limits.messages(settings.address.host, items.length, now);
    if (this.#idle.delete(connection)) grant?.work();
    return items;
  }

  /** Options have changed in a way that this session would not have been opened with: it goes, nothing is charged. */
  #outdated(connection: OpenConnection): boolean {
    const { view } = connection.settings;
    return this.pair.limits.view !== view && !view.sameIn(this.#crew.current());
  }

  #dismiss(connection: OpenConnection): void {
    this.#idle.delete(connection);
    this.#connections.get(connection)?.leave();
    connection.leave();
  }

  idle(connection: OpenConnection): void {
    if (this.#idle.has(connection)) return;
    this.#idle.add(connection);
    this.#connections.get(connection)?.rest(() => this.#dismiss(connection));
  }

  settle(items: readonly Item[], outcomes: (index: number) => Outcome): void {
    const { pair } = this;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      if (item === undefined) continue;
      const outcome = outcomes(index);
      if (outcome.kind === 'returned') {
        this.#giveBack(items, index, outcomes);
        return;
      }
      pair.settle(item, outcome);
    }
  }

  /** What goes back to the front of the queue goes in reverse, so that it stands there in its order. */
  #giveBack(items: readonly Item[], from: number, outcomes: (index: number) => Outcome): void {
    for (let index = items.length - 1; index >= from; index--) {
      const item = items[index];
      if (item !== undefined) this.pair.settle(item, outcomes(index));
    }
  }

  established(connection: OpenConnection): void {
    this.#standing++;
    connection.settings.state.failures = 0;
    connection.settings.state.told = undefined;
    const failed = this.#failures > 0;
    this.#failures = 0;
    this.#failingSince = undefined;
    this.#lastFailure = undefined;
    // It was alone, to find out; now it may have company.
    if (failed && this.pair.active > 0) this.#crew.wake(this.pair);
  }

  unreachable(connection: OpenConnection, stage: number): void {
    if (this.#crew.closing) return;
    const now = this.clock.now();
    const { state, view } = connection.settings;
    state.badUntil = millis(now + Math.max(inMillis(view.get(hostFailureRetry)), LEAST_FAILURE_RETRY));
    state.failedAt = now;
    state.failures++;
    this.#neverStood(connection, { settings: connection.settings, stage });
  }

  insecure(connection: OpenConnection, stage: number, why: Reply): void {
    if (this.#crew.closing) return;
    const { settings } = connection;
    const retry = Math.max(inMillis(settings.view.get(hostFailureRetry)), LEAST_FAILURE_RETRY);
    this.#tls.shun(settings.address, millis(this.clock.now() + retry));
    this.#neverStood(connection, { settings, stage, why });
  }

  plainNext(connection: OpenConnection): void {
    if (this.#crew.closing) return;
    this.#tls.tryPlain(connection.settings.address, this.clock.now());
    this.#crew.wake(this.pair);
  }

  #neverStood(connection: OpenConnection, failure: Failure): void {
    const now = this.clock.now();
    // While others deliver the domain is not out of reach, whatever becomes of one more connection.
    if (this.#standing > 0) return;
    if (this.#failedAt === undefined || now - this.#failedAt > FAILURE_MEMORY) {
      this.#failures = 0;
      this.#failingSince = undefined;
    }
    this.#failures++;
    this.#failingSince ??= connection.openedAt;
    this.#failedAt = now;
    this.#lastFailure = failure;
  }

  troubled(why: NetworkError): void {
    this.#troubledUntil = millis(this.clock.now() + TROUBLE_WAIT);
    this.#crew.troubled(this.pair.binding, this.pair.limits.view.get(bindAddress), why);
  }

  report(text: string): void {
    this.#crew.report(`${this.pair.domain}/${this.pair.binding}: ${text}`);
  }

  closed(connection: OpenConnection): void {
    this.#idle.delete(connection);
    connection.settings.state.open--;
    if (connection.stood) this.#standing--;
    this.#connections.get(connection)?.[Symbol.dispose]();
    this.#connections.delete(connection);
    if (this.pair.active > 0) this.#crew.wake(this.pair);
    this.#crew.left(this);
  }

  leave(): void {
    for (const connection of [...this.#connections.keys()]) connection.leave();
  }

  abort(): void {
    for (const connection of [...this.#connections.keys()]) connection.abort();
  }
}
