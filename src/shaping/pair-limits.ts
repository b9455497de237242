import { type Millis, millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { Cap, Grant } from './cap.ts';
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

/**
 * May this pair connect, and how many messages may it send now? Answers are a grant or a number; why there was none
 * stands in `gate` and `until` afterwards, so that a refusal builds no object.
 *
 * The values of a generation are read once and kept until `shaping.generation` moves.
 */
export class PairLimits {
  readonly name: PairName;
  readonly #shaping: Shaping;
  readonly #wake: () => void;
  readonly #pair = new Cap();
  readonly #hosts = new Map<string, HostLimits>();
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
  gate: Gate = OPEN;
  /** When to ask again, on the clock's scale. */
  until: Millis = millis(0);

  constructor(shaping: Shaping, name: PairName, wake: () => void) {
    this.#shaping = shaping;
    this.name = name;
    this.#wake = wake;
  }

  /** Connections of this pair that are open or being opened. */
  get open(): number {
    return this.#pair.open;
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
    if (server.open >= this.#serverCap) return this.#refuse(SERVER_CAP, UNTIL_GIVEN, server);
    const own = this.#ownTotal;
    if (own !== undefined && own.open >= this.#ownTotalCap) return this.#refuse(SERVER_CAP, UNTIL_GIVEN, own);
    const scope = this.#scope;
    if (scope !== undefined && this.#scopeCap >= 0 && scope.open >= this.#scopeCap)
      return this.#refuse(SCOPE_CAP, UNTIL_GIVEN, scope);
    if (this.#cap >= 0 && this.#pair.open >= this.#cap) return this.#refuse(PAIR_CAP, UNTIL_GIVEN);
    const throttle = this.#connections;
    if (throttle !== undefined && throttle.room(1, now) < 1)
      return this.#refuse(CONNECTION_THROTTLE, throttle.recovery(now));
    this.gate = OPEN;
    return true;
  }

  /** Whether this MX host may take another connection: asked after `mayConnect`, while choosing one. */
  hostMayConnect(host: string, now: Millis): boolean {
    const limits = this.#host(host);
    if (limits.cap >= 0 && limits.count.open >= limits.cap) return this.#refuse(HOST_CAP, UNTIL_GIVEN, limits.count);
    for (const throttle of [limits.connections, limits.messages]) {
      if (throttle !== undefined && throttle.room(1, now) < 1) return this.#refuse(HOST_CAP, throttle.recovery(now));
    }
    return true;
  }

  /** Takes the places; to be called in the same turn as the two questions above were answered. */
  connect(host: string, now: Millis): Grant {
    this.#connections?.take(1, now);
    const limits = this.#host(host);
    limits.connections?.take(1, now);
    const caps = [this.#shaping.server, this.#pair, limits.count];
    if (this.#scope !== undefined) caps.push(this.#scope);
    if (this.#ownTotal !== undefined) caps.push(this.#ownTotal);
    return new Grant(caps);
  }

  /**
   * Units for messages that are about to be sent, one for each recipient: taken from every limiter at once, or none.
   * @returns 0 … wanted
   */
  messages(host: string, wanted: number, now: Millis): number {
    this.#refresh();
    if (this.#suspended) {
      this.#refuse(SUSPENDED, UNTIL_GIVEN);
      return 0;
    }
    const ofHost = this.#host(host).messages;
    if (this.#messages === undefined && ofHost === undefined) return wanted;
    let units = wanted;
    for (const throttle of [this.#messages, ofHost]) {
      if (throttle === undefined) continue;
      units = throttle.room(units, now);
      if (units === 0) {
        this.#refuse(MESSAGE_THROTTLE, throttle.recovery(now));
        return 0;
      }
    }
    this.#messages?.take(units, now);
    ofHost?.take(units, now);
    return units;
  }

  #refuse(why: Gate, until: Millis, cap?: Cap): false {
    this.gate = why;
    this.until = until;
    cap?.wait(this.#wake);
    return false;
  }

  #host(host: string): HostLimits {
    this.#refresh();
    let limits = this.#hosts.get(host);
    if (limits === undefined) {
      limits = new HostLimits(this.#shaping, this.name, host);
      this.#hosts.set(host, limits);
    }
    return limits;
  }

  #refresh(): void {
    const generation = this.#shaping.generation;
    if (generation.number === this.#generation) return;
    const { group, binding, domain } = this.name;
    const view = generation.sending(group, binding, domain);
    const shaping = this.#shaping;
    this.#generation = generation.number;
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
