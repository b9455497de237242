import { type Endpoint, parseAddress } from '../base/index.ts';
import {
  array,
  boolean,
  cidrs,
  duration,
  enumeration,
  integer,
  milliseconds,
  option,
  optional,
  ownOption,
  port,
  text,
  ValueError,
  type ValueType,
  type View,
} from '../config/index.ts';
import { type RouteEntry, readRouteEntry } from './route-entry.ts';

export type DeliveryMethod = 'ESMTP' | 'SMTP' | 'LMTP' | 'ECSTREAM';

const method: ValueType<DeliveryMethod> = {
  title: 'one of ESMTP, SMTP, LMTP, ECSTREAM',
  read(raw) {
    const word = text.read(raw).toUpperCase();
    if (word === 'ESMTP' || word === 'SMTP' || word === 'LMTP' || word === 'ECSTREAM') return word;
    throw new ValueError(
      ['APN', 'GCM', 'MM7'].includes(word)
        ? `one of ESMTP, SMTP, LMTP, ECSTREAM (${word} is not implemented yet)`
        : 'one of ESMTP, SMTP, LMTP, ECSTREAM',
    );
  },
};

const heloName: ValueType<string> = {
  title: '__hostname__ or a host name',
  shape: { kind: 'host' },
  examples: ['__hostname__', 'mx.example.com', '"[192.0.2.1]"'],
  read(raw) {
    const name = text.read(raw);
    if (name === '__message__')
      throw new ValueError('__hostname__ or a host name (__message__ is not implemented yet)');
    if (!/^(__hostname__|[A-Za-z0-9._-]+|\[[0-9A-Za-z.:]+\])$/.test(name))
      throw new ValueError('__hostname__ or a host name');
    return name;
  },
};

const localAddress: ValueType<string> = {
  title: '* or an IP address without brackets',
  shape: { kind: 'host' },
  examples: ['*', '192.0.2.1', '2001:db8::1'],
  read(raw) {
    const written = text.read(raw);
    const address = written === '*' ? written : parseAddress(written);
    if (address === undefined)
      throw new ValueError('* or an IP address without brackets (a host name is not implemented yet)');
    return address;
  },
};

const routeEntries: ValueType<readonly RouteEntry[]> = {
  title: 'a list of hosts, addresses, __mx__ or smtp://host?pref=P&ttl=T&port=O&type=mx|a',
  shape: { kind: 'array', items: { kind: 'text' } },
  examples: ['( mx1.example.com 192.0.2.1 )', '( "smtp://mx1.example.com?pref=10&port=2525" __mx__ )'],
  read(raw) {
    return array.read(raw).map((written) => {
      const entry = readRouteEntry(written);
      if (entry === undefined)
        throw new ValueError(
          `a host, an address, __mx__ or smtp://host?pref=P&ttl=T&port=O&type=mx|a in place of '${written}'`,
        );
      return entry;
    });
  },
};

export const hostname = option('hostname', optional(text));
export const routes = option('routes', optional(routeEntries));
export const remoteSmtpPort = option('remote_smtp_port', port);
export const deliveryMethod = option('delivery_method', method);
export const ehloHostname = option('ehlo_hostname', heloName);
export const bindAddress = option('bind_address', localAddress, { scope: 'binding' });
export const useIpv6 = option('use_ipv6', boolean);
export const preferIpv6Mxs = option('prefer_ipv6_mxs', boolean);
export const prohibitedHosts = option('prohibited_hosts', optional(cidrs));
export const skipHosts = option('skip_hosts', optional(cidrs));
export const hostFailureRetry = option('host_failure_retry', duration);
export const mxFailuresToDelay = option('mx_failures_to_delay', integer);
export const connectTimeoutToDelay = option('connect_timeout_to_delay', duration);
export const mxFailuresFallbackToA = option('mx_failures_fallback_to_a', integer);
export const dnsFailuresToPurge = option('dns_failures_to_purge', integer);
export const minDnsTtl = option('min_dns_ttl', duration);
export const maxDnsTtl = option('max_dns_ttl', duration);
export const connectTimeout = option('connect_timeout', duration, { scope: 'global' });
export const ehloTimeout = option('ehlo_timeout', duration);
export const mailfromTimeout = option('mailfrom_timeout', duration);
export const rcpttoTimeout = option('rcptto_timeout', duration);
export const bodyTimeout = option('body_timeout', duration);
export const rsetTimeout = option('rset_timeout', duration);
export const idleTimeout = option('idle_timeout', duration, { scope: 'binding' });
/** RCPT commands over one connection; in listeners it limits what clients may send: see reception. */
export const maxRecipientsPerConnection = option('max_recipients_per_connection', integer, {
  unservedIn: ['esmtp_listener', 'listen', 'peer'],
});
export const send8bitmime = option('send_8bitmime', enumeration('no', 'ifavailable'));
export const transform8bitmimeContent = option(
  'transform_8bitmime_content',
  enumeration('ifneeded', 'no', 'strict', 'strip'),
);
export const ecstreamPort = option('ecstream_port', port);
export const ecstreamTimeout = option('ecstream_timeout', duration);
/** Milliseconds. What it limits of HTTP deliveries comes with them. */
export const deliveryResponseTimeout = option('delivery_response_timeout', milliseconds, {
  summary: 'wait for the answer to the oldest message of an ECStream connection, after its last byte',
});
export const pipelineOut = ownOption('pipeline_out', boolean, {
  scopes: ['global', 'domain', 'binding', 'binding_group'],
  initial: true,
  dynamic: true,
  summary: 'whether commands are pipelined to peers that offer PIPELINING',
});

export const outboundSmtpAuthType = option(
  'outbound_smtp_auth_type',
  optional(enumeration('PLAIN', 'LOGIN', 'XOAUTH2')),
);
export const outboundSmtpAuthUser = option('outbound_smtp_auth_user', optional(text));
/** For XOAUTH2 an access token. */
export const outboundSmtpAuthPass = option('outbound_smtp_auth_pass', optional(text));
export const outboundSmtpAuthInsecure = ownOption('outbound_smtp_auth_insecure', boolean, {
  scopes: ['global', 'domain', 'binding', 'binding_group'],
  initial: false,
  dynamic: true,
  summary: 'whether a login goes out over a connection that is not encrypted, where its password can be read',
});

export const deliveryOptions = [
  hostname,
  routes,
  remoteSmtpPort,
  deliveryMethod,
  ehloHostname,
  bindAddress,
  useIpv6,
  preferIpv6Mxs,
  prohibitedHosts,
  skipHosts,
  hostFailureRetry,
  mxFailuresToDelay,
  connectTimeoutToDelay,
  mxFailuresFallbackToA,
  dnsFailuresToPurge,
  minDnsTtl,
  maxDnsTtl,
  connectTimeout,
  ehloTimeout,
  mailfromTimeout,
  rcpttoTimeout,
  bodyTimeout,
  rsetTimeout,
  idleTimeout,
  maxRecipientsPerConnection,
  send8bitmime,
  transform8bitmimeContent,
  pipelineOut,
  ecstreamPort,
  ecstreamTimeout,
  deliveryResponseTimeout,
  outboundSmtpAuthType,
  outboundSmtpAuthUser,
  outboundSmtpAuthPass,
  outboundSmtpAuthInsecure,
];

/** LMTP's own port when `remote_smtp_port` is not set (manual page delivery_method). */
export const LMTP_PORT = 2003;

/** Where the addresses of a pair are connected to when neither `routes` nor anything else names a port. */
export function portOf(view: View): number {
  const method = view.get(deliveryMethod);
  if (method === 'ECSTREAM') return view.get(ecstreamPort);
  return method === 'LMTP' && view.owner(remoteSmtpPort).key === 'default' ? LMTP_PORT : view.get(remoteSmtpPort);
}

/** Where a chosen address is connected to. */
export const tcp = (ip: string, at: number): Endpoint => ({ kind: 'tcp', ip, port: at });
