import type { BindingName } from '../base/index.ts';
import type { Cap } from './cap.ts';
import {
  maxOutboundConnections,
  outboundThrottleConnections,
  outboundThrottleMessages,
  scopeMaxOutboundConnections,
} from './options.ts';
import type { Shaping } from './shaping.ts';
import type { Throttle } from './throttle.ts';

/**
 * What the `host` scope says of one MX host for one binding (spec/config 7.2): its own chain, without fallback to
 * outer scopes; its throttles come on top of the pair's.
 */
export class HostLimits {
  readonly connections: Throttle | undefined;
  readonly messages: Throttle | undefined;
  readonly #shaping: Shaping;
  readonly #binding: BindingName;
  readonly #host: string;
  /** -1: none. */
  readonly #cap: number;
  /** Shared by everyone who reaches the stanza that sets it. */
  readonly #scope: Cap | undefined;
  readonly #scopeCap: number;

  constructor(shaping: Shaping, group: string, binding: BindingName, host: string) {
    const view = shaping.generation.host(group, binding, host);
    this.#shaping = shaping;
    this.#binding = binding;
    this.#host = host;
    this.#cap = view.get(maxOutboundConnections);
    const shared = view.get(scopeMaxOutboundConnections);
    this.#scopeCap = shared ?? -1;
    this.#scope =
      shared === undefined
        ? undefined
        : shaping.cap('scope_max_outbound_connections', view.owner(scopeMaxOutboundConnections).key);
    this.connections = shaping.throttle(
      outboundThrottleConnections,
      view.owner(outboundThrottleConnections),
      view.get(outboundThrottleConnections),
    );
    this.messages = shaping.throttle(
      outboundThrottleMessages,
      view.owner(outboundThrottleMessages),
      view.get(outboundThrottleMessages),
    );
  }

  /** @returns the cap that is full, with its limit; undefined when there is room under all */
  full(): { readonly cap: Cap; readonly limit: number } | undefined {
    const scope = this.#scope;
    if (scope !== undefined && this.#scopeCap >= 0 && scope.open >= this.#scopeCap)
      return { cap: scope, limit: this.#scopeCap };
    if (this.#cap < 0 || this.#shaping.openTo(this.#binding, this.#host) < this.#cap) return undefined;
    return { cap: this.#shaping.hostCap(this.#binding, this.#host), limit: this.#cap };
  }

  /** The counts that a new connection adds to. */
  counts(into: Cap[]): void {
    into.push(this.#shaping.hostCap(this.#binding, this.#host));
    if (this.#scope !== undefined) into.push(this.#scope);
  }
}
