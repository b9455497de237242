import { family, inMillis, type Millis, millis } from '../base/index.ts';
import type { Item, Judged, Outcome, Pair } from '../queue/index.ts';
import { retryInterval } from '../queue/index.ts';
import { type Grant, gate, maxDeliveriesPerConnection } from '../shaping/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Clock } from '../world/index.ts';
import { chooseHost } from './choose-host.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { Crew, Served } from './crew.ts';
import type { HostState } from './host-state.ts';
import {
  bindAddress,
  bodyTimeout,
  connectTimeout,
  connectTimeoutToDelay,
  deliveryMethod,
  ehloHostname,
  ehloTimeout,
  hostFailureRetry,
  idleTimeout,
  LMTP_PORT,
  mailfromTimeout,
  mxFailuresToDelay,
  pipelineOut,
  preferIpv6Mxs,
  rcpttoTimeout,
  remoteSmtpPort,
  rsetTimeout,
  tcp,
} from './options.ts';
import type { Route, RouteAddress } from './route.ts';

const DNS = gate('DNS');
const NO_HOST = gate('no usable host');
/** New connections in one run: the loop stays responsive (spec/delivery 5.2). */
const MOST_OPENED_AT_ONCE = 64;
const UNREACHABLE = reply(421, '4.4.0', '[internal] no mail servers for this domain could be reached at this time');

/**
 * Delivery for one pair: how many connections, to which addresses, and what each of them sends. A pair has one as long
 * as it is served.
 */
export class PairService implements ConnectionOwner<Connection>, Served {
  readonly clock: Clock;
  readonly spool: Spool;
  readonly pair: Pair;
  readonly #crew: Crew;
  readonly #connections = new Map<Connection, Grant>();
  readonly #idle: Connection[] = [];
  /** Connection failures since the last session that stood, and when they began. */
  #failures = 0;
  #failingSince: Millis | undefined;
  /** The last address that failed, for the log. */
  #lastFailure: { readonly connection: Connection; readonly reply: Reply; readonly stage: number } | undefined;

  constructor(crew: Crew, pair: Pair) {
    this.#crew = crew;
    this.clock = crew.clock;
    this.spool = crew.spool;
    this.pair = pair;
  }

  get connections(): Iterable<Connection> {
    return this.#connections.keys();
  }

  get open(): number {
    return this.#connections.size;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Wakes idle connections, and opens more as long as the queue wants and the limits allow. */
  serve(): void {
    const { pair } = this;
    for (let idle = this.#idle.pop(); idle !== undefined && pair.active > 0; idle = this.#idle.pop()) {
      if (idle.isIdle) idle.wake();
    }
    const { limits } = pair;
    for (let opened = 0; opened < MOST_OPENED_AT_ONCE && pair.active > 0; opened++) {
      if (this.#connections.size >= Math.max(1, limits.goal(pair.active)) && !limits.suspended) return;
      if (!this.#openOne()) return;
    }
  }

  /** @returns false when no more connections can be opened now; why stands in the pair's gate */
  #openOne(): boolean {
    const { pair } = this;
    const { limits } = pair;
    const now = this.clock.now();
    if (!limits.mayConnect(now)) {
      // At its own cap the pair is not held: its connections take the next messages.
      if (this.#connections.size === 0 || limits.suspended) pair.hold(limits.gate, limits.until);
      return false;
    }
    const { view } = limits;
    const route = this.#crew.routes.find(pair.domain, view, inMillis(view.get(retryInterval)), () =>
      this.#crew.wake(pair),
    );
    if (route === undefined) {
      pair.hold(DNS, millis(Number.POSITIVE_INFINITY));
      return false;
    }
    if (route.kind !== 'ready') return this.#noRoute(route);
    return this.#connect(route.addresses);
  }

  #noRoute(route: Exclude<Route, { kind: 'ready' }>): false {
    const { pair } = this;
    if (route.kind === 'unknown') {
      pair.hold(DNS, route.until);
      return false;
    }
    for (;;) {
      const items = pair.take(Number.MAX_SAFE_INTEGER);
      if (items.length === 0) return false;
      this.settle(items, () => ({ kind: 'failed', reply: route.reply, attempt: this.#crew.noAttempt }));
    }
  }

  #connect(addresses: readonly RouteAddress[]): boolean {
    const { pair } = this;
    const { limits } = pair;
    const { view } = limits;
    const now = this.clock.now();
    const from = view.get(bindAddress);
    const method = view.get(deliveryMethod);
    const defaultPort =
      method === 'LMTP' && view.owner(remoteSmtpPort).key === 'default' ? LMTP_PORT : view.get(remoteSmtpPort);
    const stateOf = (address: RouteAddress): HostState =>
      this.#crew.hosts.of(pair.binding, address.ip, address.port ?? defaultPort, now);
    const choice = chooseHost(addresses, stateOf, limits, this.#crew.chance, now, {
      onlyFamily: from === '*' ? undefined : family(from),
      preferIpv6: view.get(preferIpv6Mxs),
    });
    if (choice.kind === 'limited') {
      if (this.#connections.size === 0) pair.hold(limits.gate, limits.until);
      return false;
    }
    if (choice.kind === 'all bad') {
      this.#nobodyThere(choice.until);
      return false;
    }
    const { address, state } = choice;
    const port = address.port ?? defaultPort;
    const named = view.get(ehloHostname);
    const connection = new Connection(this, {
      id: this.#crew.ids.next(this.clock.date()),
      number: this.#crew.nextNumber(),
      address,
      port,
      state,
      view,
      ehloName: named === '__hostname__' ? this.#crew.hostName() : named,
      method,
      pipelining: view.get(pipelineOut),
      timeouts: {
        connect: inMillis(view.get(connectTimeout)),
        ehlo: inMillis(view.get(ehloTimeout)),
        mailFrom: inMillis(view.get(mailfromTimeout)),
        rcptTo: inMillis(view.get(rcpttoTimeout)),
        body: inMillis(view.get(bodyTimeout)),
        rset: inMillis(view.get(rsetTimeout)),
        idle: inMillis(view.get(idleTimeout)),
      },
    });
    pair.release();
    this.#connections.set(connection, limits.connect(address.host, now));
    state.open++;
    connection.start(this.#crew.network.connect(tcp(address.ip, port), from === '*' ? undefined : from, connection));
    return true;
  }

  /** Every address failed lately. One message is charged for the attempt that has just ended, the others wait. */
  #nobodyThere(until: Millis): void {
    const { pair } = this;
    const last = this.#lastFailure;
    this.#lastFailure = undefined;
    if (last !== undefined && this.#connections.size === 0) {
      const { settings } = last.connection;
      const outcome: Judged = {
        kind: 'deferred',
        reply: UNREACHABLE,
        attempt: {
          stage: last.stage,
          connectionId: settings.id,
          address: settings.address.ip,
          host: settings.address.host,
          bytes: 0,
        },
      };
      if (this.#massDelay()) pair.delayAll(outcome);
      else {
        const items = pair.take(1);
        this.settle(items, () => outcome);
      }
    }
    pair.hold(NO_HOST, until);
  }

  /** Whether the domain has been out of reach for so long, or so often, that its whole queue is delayed (3.6). */
  #massDelay(): boolean {
    const { view } = this.pair.limits;
    const most = view.get(mxFailuresToDelay);
    const since = this.#failingSince;
    const longest = inMillis(view.get(connectTimeoutToDelay));
    return (
      (most > 0 && this.#failures >= most) ||
      (since !== undefined && longest > 0 && this.clock.now() - since >= longest)
    );
  }

  work(connection: Connection): readonly Item[] {
    const { pair } = this;
    if (pair.active === 0) return [];
    const { view } = pair.limits;
    const most = view.get(maxDeliveriesPerConnection);
    if (most > 0 && connection.deliveries + (connection.tried > connection.deliveries ? 1 : 0) >= most) {
      connection.leave();
      return [];
    }
    // Options have changed in a way that this session would not have been opened with: let it go, charge nothing.
    if (view !== connection.settings.view && !connection.settings.view.sameIn(this.#crew.current())) {
      connection.leave();
      return [];
    }
    const items = pair.take(most > 0 ? most - connection.deliveries : Number.MAX_SAFE_INTEGER);
    if (items.length === 0) return items;
    const { host } = connection.settings.address;
    const units = pair.limits.messages(host, items.length, this.clock.now());
    if (units < items.length) {
      const back = items.slice(units);
      this.settle(back, () => ({ kind: 'returned', gate: pair.limits.gate, until: pair.limits.until }));
    }
    return units < items.length ? items.slice(0, units) : items;
  }

  idle(connection: Connection): void {
    if (!this.#idle.includes(connection)) this.#idle.push(connection);
  }

  settle(items: readonly Item[], outcomes: (index: number) => Outcome): void {
    // What goes back to the front of the queue goes in reverse, so that it stands there in its order.
    for (let index = items.length - 1; index >= 0; index--) {
      const item = items[index];
      if (item !== undefined) this.pair.settle(item, outcomes(index));
    }
  }

  established(_connection: Connection): void {
    this.#failures = 0;
    this.#failingSince = undefined;
    this.#lastFailure = undefined;
  }

  unreachable(connection: Connection, why: Reply, stage: number): void {
    const now = this.clock.now();
    const { state, view } = connection.settings;
    if (this.#crew.closing) return;
    state.badUntil = millis(now + inMillis(view.get(hostFailureRetry)));
    state.failedAt = now;
    this.#failures++;
    this.#failingSince ??= connection.openedAt;
    this.#lastFailure = { connection, reply: why, stage };
  }

  closed(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    connection.settings.state.open--;
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
