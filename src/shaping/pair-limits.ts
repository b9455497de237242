import { type Millis, millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { Cap, Grant, type Waiter } from './cap.ts';
import { type Gate, gate } from './gates.ts';
import { connectionGoal } from './goal.ts';
import { HostLimits } from './host-limits.ts';
import {
  connectionAllocationAggressiveness,
  maxOutboundConnections,
  outboundThrottleConnections,
  outboundThrottleMessages,
  scopeMaxOutboundConnections,
  serverMaxOutboundConnections,
  suspendDelivery,
} from './options.ts';
import type { PairName, Shaping } from './shaping.ts';
import type { Throttle } from './throttle.ts';

const OPEN = gate('open');
const SUSPENDED = gate('suspended');
const SERVER_CAP = gate('server cap');
const SCOPE_CAP = gate('scope cap');
const PAIR_CAP = gate('pair cap');
const CONNECTION_THROTTLE = gate('connection throttle');
const MESSAGE_THROTTLE = gate('message throttle');
const HOST_CAP = gate('host cap');

/** Until somebody gives a place back: nobody knows when. */
export const UNTIL_GIVEN = millis(Number.POSITIVE_INFINITY);
/** Milliseconds. */
const COURTESY = 1;
/** Hosts remembered by one pair: an exchanger may have a new name each time it is asked. */
const MOST_HOSTS = 256;

/**
 * May this pair connect, and how many messages may it send now? Answers are a grant or a number; why there was none
 * stands in `gate` and `until` afterwards, so that a refusal builds no object.
 *
 * The values of a generation are read once and kept until `shaping.generation` moves.
 */
export class PairLimits implements Waiter {
  readonly name: PairName;
  readonly #shaping: Shaping;
  readonly #wake: () => void;
  readonly #pair = new Cap();
  readonly #hosts = new Map<string, HostLimits>();
  /** Where it waits for a place, and where it was offered one. */
  readonly #waits = new Set<Cap>();
  #offers: Cap[] = [];
  #group = '';
  #view!: View;
  #generation = -1;
  #cap = 0;
  #serverCap = 0;
  #scopeCap = -1;
  #scope: Cap | undefined;
  #ownTotal: Cap | undefined;
  #ownTotalCap = 0;
  #connections: Throttle | undefined;
  #messages: Throttle | undefined;
  #suspended = false;
  #aggressiveness: 'normal' | 'high' = 'normal';
  /** When it last took a unit of any throttle, when it was last told to come back, and how much later than others. */
  #tookAt = millis(Number.NEGATIVE_INFINITY);
  #promised = millis(0);
  #courtesy = 0;
  gate: Gate = OPEN;
  /** When to ask again, on the clock's scale. */
  until: Millis = millis(0);

  constructor(shaping: Shaping, name: PairName, wake: () => void) {
    this.#shaping = shaping;
    this.name = name;
    this.#wake = wake;
  }

  /** The binding group whose options apply now. */
  get group(): string {
    this.#refresh();
    return this.#group;
  }

  /** Connections of this pair that are open or being opened. */
  get open(): number {
    return this.#pair.open;
  }

  get starving(): boolean {
    return this.#pair.open === 0;
  }

  get suspended(): boolean {
    this.#refresh();
    return this.#suspended;
  }

  /** The values that apply to this pair now. */
  get view(): View {
    this.#refresh();
    return this.#view;
  }

  /** Connections wanted for so many active messages (spec/delivery 5.2). */
  goal(active: number): number {
    this.#refresh();
    return connectionGoal(active, this.#cap, this.#aggressiveness);
  }

  /** Whether another connection could be opened at all, before a host is chosen: the gates in their order. */
  mayConnect(now: Millis): boolean {
    this.#refresh();
    if (this.#suspended) return this.#refuse(SUSPENDED, UNTIL_GIVEN);
    const { server } = this.#shaping;
    if (this.#serverCap >= 0 && server.open >= this.#serverCap) return this.#full(SERVER_CAP, server, this.#serverCap);
    const own = this.#ownTotal;
    if (own !== undefined && this.#ownTotalCap >= 0 && own.open >= this.#ownTotalCap)
      return this.#full(SERVER_CAP, own, this.#ownTotalCap);
    const scope = this.#scope;
    if (scope !== undefined && this.#scopeCap >= 0 && scope.open >= this.#scopeCap)
      return this.#full(SCOPE_CAP, scope, this.#scopeCap);
    if (this.#cap >= 0 && this.#pair.open >= this.#cap) return this.#refuse(PAIR_CAP, UNTIL_GIVEN);
    const throttle = this.#connections;
    if (throttle !== undefined && throttle.room(1, now) < 1) return this.#throttled(CONNECTION_THROTTLE, throttle, now);
    // A connection that may not send would only stand about.
    const messages = this.#messages;
    if (messages !== undefined && messages.room(1, now) < 1) return this.#throttled(MESSAGE_THROTTLE, messages, now);
    this.gate = OPEN;
    return true;
  }

  /** Whether this MX host may take another connection: asked after `mayConnect`, while choosing one. */
  hostMayConnect(host: string, now: Millis): boolean {
    const limits = this.#host(host);
    const full = limits.full();
    if (full !== undefined) return this.#full(HOST_CAP, full.cap, full.limit);
    for (const throttle of [limits.connections, limits.messages]) {
      if (throttle !== undefined && throttle.room(1, now) < 1) return this.#throttled(HOST_CAP, throttle, now);
    }
    return true;
  }

  /** Takes the places; to be called in the same turn as the two questions above were answered. */
  connect(host: string, now: Millis): Grant {
    const limits = this.#host(host);
    this.#connections?.take(1, now);
    limits.connections?.take(1, now);
    this.#tookAt = now;
    const claims: Disposable[] = [];
    for (const throttle of [this.#messages, limits.messages])
      if (throttle !== undefined) claims.push(throttle.claim(now));
    const caps = [this.#shaping.server, this.#pair];
    limits.counts(caps);
    if (this.#scope !== undefined) caps.push(this.#scope);
    if (this.#ownTotal !== undefined) caps.push(this.#ownTotal);
    const grant = new Grant(this, caps, claims);
    this.#waitNoMore();
    return grant;
  }

  /**
   * Units for messages that may be sent to this host now, one for each recipient. Nothing is taken yet.
   * @returns 0 … wanted
   */
  room(host: string, wanted: number, now: Millis): number {
    this.#refresh();
    if (this.#suspended) {
      this.#refuse(SUSPENDED, UNTIL_GIVEN);
      return 0;
    }
    let units = wanted;
    for (const throttle of [this.#messages, this.#host(host).messages]) {
      if (throttle === undefined) continue;
      units = throttle.room(units, now);
      if (units === 0) {
        this.#throttled(MESSAGE_THROTTLE, throttle, now);
        return 0;
      }
    }
    return units;
  }

  /**
   * Takes units for messages that are about to be sent: from every limiter at once, or none.
   * @returns 0 … wanted
   */
  messages(host: string, wanted: number, now: Millis): number {
    const units = this.room(host, wanted, now);
    if (units === 0) return 0;
    this.#messages?.take(units, now);
    this.#host(host).messages?.take(units, now);
    this.#tookAt = now;
    return units;
  }

  /** For caps: there is a place, or somebody thinks so. */
  offered(cap: Cap): void {
    this.#waits.delete(cap);
    this.#offers.push(cap);
    this.#wake();
  }

  /** To be called when the pair has been served: places that it was offered and has not taken go to the next. */
  passOn(): void {
    if (this.#offers.length === 0) return;
    const offers = this.#offers;
    this.#offers = [];
    for (const cap of offers) cap.offer();
  }

  /** The pair is forgotten: it waits nowhere. */
  close(): void {
    this.#waitNoMore();
    this.passOn();
  }

  #waitNoMore(): void {
    if (this.#waits.size === 0) return;
    const waits = [...this.#waits];
    this.#waits.clear();
    for (const cap of waits) cap.forget(this);
  }

  #full(why: Gate, cap: Cap, limit: number): false {
    this.#waits.add(cap);
    cap.wait(this, limit);
    return this.#refuse(why, UNTIL_GIVEN);
  }

  /**
   * All who share a bucket come back at the same moment, in the order in which they were refused. Who has had something
   * since the last such moment comes a little later than the others, so that they take turns.
   */
  #throttled(why: Gate, throttle: Throttle, now: Millis): false {
    if (now >= this.#promised) this.#courtesy = this.#tookAt >= this.#promised ? COURTESY : 0;
    this.#promised = millis(throttle.recovery(now) + this.#courtesy);
    return this.#refuse(why, this.#promised);
  }

  #refuse(why: Gate, until: Millis): false {
    this.gate = why;
    this.until = until;
    return false;
  }

  #host(host: string): HostLimits {
    this.#refresh();
    let limits = this.#hosts.get(host);
    if (limits === undefined) {
      if (this.#hosts.size >= MOST_HOSTS) this.#hosts.clear();
      limits = new HostLimits(this.#shaping, this.#group, this.name.binding, host);
      this.#hosts.set(host, limits);
    }
    return limits;
  }

  #refresh(): void {
    const shaping = this.#shaping;
    const { generation } = shaping;
    if (generation.number === this.#generation) return;
    const { binding, domain } = this.name;
    const group = generation.groupOf(binding);
    const view = generation.sending(group, binding, domain);
    this.#generation = generation.number;
    this.#group = group;
    this.#view = view;
    this.#hosts.clear();
    this.#cap = view.get(maxOutboundConnections);
    this.#suspended = view.get(suspendDelivery);
    this.#aggressiveness = view.get(connectionAllocationAggressiveness);
    this.#serverCap = generation.global.get(serverMaxOutboundConnections);
    // In a binding the server's cap is that binding's own total (manual page server_max_outbound_connections).
    const total = view.owner(serverMaxOutboundConnections);
    const wide = total.key === 'global' || total.key === 'default';
    this.#ownTotal = wide ? undefined : shaping.cap('server_max_outbound_connections', total.key);
    this.#ownTotalCap = view.get(serverMaxOutboundConnections);
    const scopeCap = view.get(scopeMaxOutboundConnections);
    this.#scopeCap = scopeCap ?? -1;
    this.#scope =
      scopeCap === undefined
        ? undefined
        : shaping.cap('scope_max_outbound_connections', view.owner(scopeMaxOutboundConnections).key);
    this.#connections = shaping.throttle(
      outboundThrottleConnections,
      view.owner(outboundThrottleConnections),
      view.get(outboundThrottleConnections),
    );
    this.#messages = shaping.throttle(
      outboundThrottleMessages,
      view.owner(outboundThrottleMessages),
      view.get(outboundThrottleMessages),
    );
  }
}
