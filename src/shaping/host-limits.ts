import type { Cap } from './cap.ts';
import {
  maxOutboundConnections,
  outboundThrottleConnections,
  outboundThrottleMessages,
  scopeMaxOutboundConnections,
} from './options.ts';
import type { PairName, Shaping } from './shaping.ts';
import type { Throttle } from './throttle.ts';

/**
 * What the `host` scope says of one MX host for one binding (spec/config 7.2): its own chain, without fallback to
 * outer scopes; its throttles come on top of the pair's.
 */
export class HostLimits {
  readonly cap: number;
  readonly count: Cap;
  readonly connections: Throttle | undefined;
  readonly messages: Throttle | undefined;

  constructor(shaping: Shaping, { group, binding }: PairName, host: string) {
    const view = shaping.generation.host(group, binding, host);
    const shared = view.get(scopeMaxOutboundConnections);
    // The scope's cap is shared by everyone who reaches the stanza, the plain one belongs to (binding, host).
    this.cap = shared ?? view.get(maxOutboundConnections);
    this.count =
      shared === undefined
        ? shaping.cap('host', `${binding} ${host}`)
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
}
