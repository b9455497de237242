import type { CidrTable } from '../base/index.ts';
import {
  boolean,
  cidrs,
  duration,
  integer,
  integerBetween,
  mode,
  type Option,
  option,
  optional,
  ownOption,
  size,
  ValueError,
  type ValueType,
} from '../config/index.ts';

const ofSocket = { ofSocket: true };

export const enable = option('enable', boolean, ofSocket);
export const listenBacklog = option('listen_backlog', integerBetween(1, 65_535), ofSocket);
export const acceptQueueBacklog = option('accept_queue_backlog', integerBetween(0, 65_535), ofSocket);
export const fileMode = option('file_mode', mode, { scope: 'listen', ...ofSocket });
export const disableNagleAlgorithm = option('disable_nagle_algorithm', boolean, {
  ...ofSocket,
  summary: 'of accepted connections: small writes do not wait for what is under way',
});
export const listenerSessions = option('listener_sessions', integer, { ofEveryListener: true });
export const serviceSessions = option('service_sessions', integer, { ofEveryListener: true });

/** In a listener for all its sockets, in a Listen for one. Which Peer holds is known only after the header. */
export const proxyProtocol = option('proxy_protocol', boolean, ofSocket);
export const proxyProtocolTimeout = option('proxy_protocol_timeout', duration, ofSocket);

const someCidrs: ValueType<CidrTable<string>> = {
  ...cidrs,
  read(raw) {
    const table = cidrs.read(raw);
    if (table.size === 0) throw new ValueError(`${cidrs.title}, at least one`);
    return table;
  },
};
export const proxyProtocolFrom = ownOption('proxy_protocol_from', optional(someCidrs), {
  scopes: proxyProtocol.scopes,
  initial: undefined,
  summary: 'addresses of proxies whose PROXY header is believed, others are closed; unset believes all',
  ...ofSocket,
});

/** Node leaves the buffers of a socket to the system, which 0 asks for; Momentum's 4096 would be slower than that. */
const systemsSize: ValueType<number> = {
  ...size,
  unserved: (raw) => (size.read(raw) === 0 ? [] : ['a size other than 0 (Node leaves it to the system)']),
};
const systems = { ...ofSocket, initial: 0, summary: 'only 0 can be had: the system decides' };
export const tcpRecvBufferSize = option('tcp_recv_buffer_size', systemsSize, systems);
export const tcpSendBufferSize = option('tcp_send_buffer_size', systemsSize, systems);

/** Every option that listeners read: all of them are honoured, as far as `unserved` does not say otherwise. */
export const listenerOptions: readonly Option<unknown>[] = [
  enable,
  listenBacklog,
  acceptQueueBacklog,
  fileMode,
  disableNagleAlgorithm,
  listenerSessions,
  serviceSessions,
  proxyProtocol,
  proxyProtocolTimeout,
  proxyProtocolFrom,
  tcpRecvBufferSize,
  tcpSendBufferSize,
];
