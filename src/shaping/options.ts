import { boolean, enumeration, integer, option, optional, throttle } from '../config/index.ts';

export const maxOutboundConnections = option('max_outbound_connections', integer);
export const scopeMaxOutboundConnections = option('scope_max_outbound_connections', optional(integer));
export const serverMaxOutboundConnections = option('server_max_outbound_connections', integer);
export const maxDeliveriesPerConnection = option('max_deliveries_per_connection', integer);
export const outboundThrottleMessages = option('outbound_throttle_messages', throttle);
export const outboundThrottleConnections = option('outbound_throttle_connections', throttle);
export const suspendDelivery = option('suspend_delivery', boolean);
export const connectionAllocationAggressiveness = option(
  'connection_allocation_aggressiveness',
  enumeration('normal', 'high'),
);

export const shapingOptions = [
  maxOutboundConnections,
  scopeMaxOutboundConnections,
  serverMaxOutboundConnections,
  maxDeliveriesPerConnection,
  outboundThrottleMessages,
  outboundThrottleConnections,
  suspendDelivery,
  connectionAllocationAggressiveness,
];
