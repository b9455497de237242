import { boolean, duration, type Option, option, optional, ownOption, path, size } from '../config/index.ts';

/** Other listeners have readers of their own for these. */
const here = { unservedIn: ['control_listener', 'esmtp_listener', 'xmpp_listener'] };

export const maxRequestSize = option('max_request_size', optional(size));
export const logRequestsToPaniclog = option('log_requests_to_paniclog', boolean);
export const disableChunked = option('disable_chunked', boolean);
export const idleTime = option('idle_time', duration, here);
export const tlsVerifiedPeerIsAuthorized = option('tls_verified_peer_is_authorized', boolean);
export const apiKeyFile = ownOption('api_key_file', path, {
  scopes: ['global'],
  initial: '/var/lib/impetus/api-keys.json',
  summary: 'file of the API keys that impetus apikey makes; read again when it has changed',
});

/** Every option that the HTTP server reads. */
export const httpOptions: readonly Option<unknown>[] = [
  maxRequestSize,
  logRequestsToPaniclog,
  disableChunked,
  idleTime,
  tlsVerifiedPeerIsAuthorized,
  apiKeyFile,
];

/** With Max_Request_Size unset, and above it: the largest request that anybody may send. */
export const MOST_BYTES = 300 * 1024 * 1024;
