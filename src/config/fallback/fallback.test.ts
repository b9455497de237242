import { beforeAll, describe, expect, test } from 'vitest';
import { configured } from '../../../test/support/configuration.ts';
import { bindingName, type Domain, type Endpoint, parseDomain, parseEndpoint } from '../../base/index.ts';
import {
  array,
  boolean,
  cidrs,
  duration,
  enumeration,
  type Generation,
  integer,
  type ListenerType,
  type Option,
  option,
  optional,
  size,
  text,
  throttle,
  type View,
} from '../index.ts';

const maxOutboundConnections = option('max_outbound_connections', integer);
const maxDeliveries = option('max_deliveries_per_connection', integer);
const messageExpiration = option('message_expiration', duration);
const idleTimeout = option('idle_timeout', duration);
const ehloTimeout = option('ehlo_timeout', duration);
const throttleMessages = option('outbound_throttle_messages', throttle);
const listenerSessions = option('listener_sessions', integer);
const smtpExtensions = option('smtp_extensions', optional(array));
const bannerHostname = option('banner_hostname', optional(text));
const relayHosts = option('relay_hosts', optional(cidrs));
const maxMessageSize = option('max_message_size', size);
const idleTime = option('idle_time', duration);
const dateHeader = option('rfc2822_date_header', enumeration('ifneeded', 'pedantic', 'ignore'));
const allowIpLiteral = option('allow_ip_literal', boolean);
const declared: readonly Option<unknown>[] = [
  maxOutboundConnections,
  maxDeliveries,
  messageExpiration,
  idleTimeout,
  ehloTimeout,
  throttleMessages,
  listenerSessions,
  smtpExtensions,
  bannerHostname,
  relayHosts,
  maxMessageSize,
  idleTime,
  dateHeader,
  allowIpLiteral,
];

const domain = (name: string): Domain => parseDomain(name) ?? expect.fail(`${name} is no domain`);
const endpoint = (name: string): Endpoint => {
  const parsed = parseEndpoint(name);
  return parsed.kind === 'error' ? expect.fail(parsed.text) : parsed;
};

describe('the worked examples of sending options', () => {
  let generation: Generation;
  const sending = (binding: string, name: string): View =>
    generation.sending(generation.groupOf(bindingName(binding)), bindingName(binding), domain(name));
  const host = (binding: string, name: string): View =>
    generation.host(generation.groupOf(bindingName(binding)), bindingName(binding), name);

  beforeAll(async () => {
    ({
      configuration: { current: generation },
    } = await configured(
      `
      Max_Outbound_Connections = 50
      Message_Expiration = 400
      Domain "mx.test" { Max_Outbound_Connections = 40  Message_Expiration = 90 }
      Domain "/(^|[.])test$/" { Max_Outbound_Connections = 7  Max_Deliveries_Per_Connection = 3 }
      Domain "/mx/" { Max_Deliveries_Per_Connection = 9  Idle_Timeout = 11 }
      Binding "solo" { Message_Expiration = 200  Domain "mx.test" { Idle_Timeout = 12 } }
      Binding "bare" { Domain "other.test" { Message_Expiration = 70 } }
      Binding_Group "g" {
        Max_Outbound_Connections = 30
        Domain "mx.test" { Max_Outbound_Connections = 25 }
        Binding "gb" { Max_Outbound_Connections = 20  Outbound_Throttle_Messages = "5/2" }
        Binding "gc" { Domain "mx.test" { Max_Outbound_Connections = 15 } }
        Host "in.mx.test" { Max_Outbound_Connections = 2 }
      }
      Host "in.mx.test" { }
      Host "/^relay[0-9]+[.]/" { Max_Outbound_Connections = 6 }
      Binding_Group "default" { Ehlo_Timeout = 77 }`,
      declared,
    ));
  });

  const examples: readonly (readonly [string, string, string, Option<unknown>, unknown])[] = [
    ['S1: global', 'default', 'unknown.org', maxOutboundConnections, 50],
    ['S2: literal before regex', 'default', 'mx.test', maxOutboundConnections, 40],
    ['S3: literal lacks it, first regex in order', 'default', 'mx.test', maxDeliveries, 3],
    ['S4: first regex lacks it, second has it', 'default', 'mx.test', idleTimeout, 11],
    ['S5: regex, unanchored left', 'default', 'a.b.test', maxOutboundConnections, 7],
    ['S6: the key is canonicalised', 'default', 'MX.Test.', messageExpiration, 90],
    ['S7: binding beats global domain', 'solo', 'mx.test', messageExpiration, 200],
    ['S8: binding::domain', 'solo', 'mx.test', idleTimeout, 12],
    ['S9: unset in binding, global domain', 'solo', 'mx.test', maxOutboundConnections, 40],
    ['S10: binding unset, global domain', 'bare', 'mx.test', messageExpiration, 90],
    ['S11: binding::domain', 'bare', 'other.test', messageExpiration, 70],
    ['S12: global', 'bare', 'zzz.org', messageExpiration, 400],
    ['S13: group::domain beats binding', 'gb', 'mx.test', maxOutboundConnections, 25],
    ['S14: binding', 'gb', 'zzz.org', maxOutboundConnections, 20],
    ['S15: group::binding::domain', 'gc', 'mx.test', maxOutboundConnections, 15],
    ['S16: group beats global regex domain', 'gc', 'a.test', maxOutboundConnections, 30],
    ['S17: nothing until global', 'gc', 'zzz.org', messageExpiration, 400],
    ['S21: a top-level binding is in group default', 'solo', 'any.org', ehloTimeout, 77],
    ['S22: group g is not default', 'gb', 'any.org', ehloTimeout, 300],
  ];
  test.each(examples)('%s', (_, binding, name, wanted, value) => {
    expect(sending(binding, name).get(wanted)).toBe(value);
  });

  test.each([
    ['S18: a host stanza without value does not fall back', 'default', 'in.mx.test', -1],
    ['S19: group::host', 'gb', 'in.mx.test', 2],
    ['S20: regex host', 'default', 'relay7.x.org', 6],
  ])('%s', (_, binding, name, value) => {
    expect(host(binding, name).get(maxOutboundConnections)).toBe(value);
  });

  test('S23: a throttle belongs to the stanza that set it, whatever domain falls back to it', () => {
    const one = sending('gb', 'one.org');
    const other = sending('gb', 'mx.test');
    expect(one.get(throttleMessages)).toEqual({ count: 5, seconds: 2 });
    expect(other.get(throttleMessages)).toEqual({ count: 5, seconds: 2 });
    expect(one.owner(throttleMessages).key).toBe('binding_group:g:binding:gb');
    expect(other.owner(throttleMessages)).toBe(one.owner(throttleMessages));
  });

  test('a host without any throttle has none, also where its domain has one', () => {
    expect(host('gb', 'in.mx.test').get(throttleMessages)).toBeUndefined();
  });

  test('domains that match the same stanzas share one view', () => {
    expect(sending('default', 'a.org')).toBe(sending('default', 'b.org'));
    expect(sending('default', 'a.test')).toBe(sending('default', 'b.test'));
    expect(sending('default', 'a.test')).not.toBe(sending('default', 'b.org'));
  });

  test('bindings are listed with their groups, and default exists without being written', () => {
    expect(generation.bindings()).toEqual([
      { group: 'default', name: 'default' },
      { group: 'default', name: 'solo' },
      { group: 'default', name: 'bare' },
      { group: 'g', name: 'gb' },
      { group: 'g', name: 'gc' },
    ]);
    expect(generation.groupOf(bindingName('nobody'))).toBe('default');
  });

  test('an option that was not declared cannot be asked for', () => {
    expect(() => generation.global.get(option('retry_interval', duration))).toThrow('not among those declared');
  });
});

describe('the worked examples of receiving options', () => {
  let generation: Generation;
  const receiving = (at: string, client: string, pathway?: string, listener: ListenerType = 'esmtp_listener'): View =>
    generation.receiving(listener, endpoint(at), client, pathway);

  beforeAll(async () => {
    ({
      configuration: { current: generation },
    } = await configured(
      `
      Relay_Hosts = ( 127.0.0.1 )
      Allow_IP_Literal = false
      Pathway_Group "pg" { Idle_Time = 31  Max_Message_Size = 5000
        Pathway "inner" { Max_Message_Size = 6000 } }
      Pathway "out" { Idle_Time = 33  RFC2822_Date_Header = "pedantic" }
      ESMTP_Listener {
        Listener_Sessions = 100
        SMTP_Extensions = ( PIPELINING )
        Peer "10.0.0.0/8"  { Listener_Sessions = 40  Relay_Hosts = ( 10.0.0.0/8 ) }
        Peer "10.1.0.0/16" { SMTP_Extensions = ( STARTTLS ) }
        Peer "0.0.0.0/0"   { Listener_Sessions = 20  Pathway = "inner" }
        Listen "*:25"  { Listener_Sessions = 70  Peer "10.0.0.0/8" { Banner_Hostname = "a" } }
        Listen "0.0.0.0:26" { Pathway = "out" }
        Listen "[0:0::0]:587" { Pathway = "out"  Peer "2001:DB8:9::/48" { Listener_Sessions = 9 } }
        Listen "/run/x.sock" { }
      }`,
      declared,
    ));
  });

  const examples: readonly (readonly [string, string, string, Option<unknown>, unknown])[] = [
    ['R1: a longer prefix that does not set it is passed over', ':25', '10.1.2.3', listenerSessions, 40],
    ['R2: the Peer of the listener beats Listen', ':25', '203.0.113.1', listenerSessions, 20],
    ['R3: IPv4 blocks do not match IPv6', ':25', '2001:db8::1', listenerSessions, 70],
    ['R4: Listen does not set it', '[::]:587', '2001:db8::1', listenerSessions, 100],
    ['R5: Listen::Peer, case and zeros ignored', '[*]:587', '2001:db8:9::7', listenerSessions, 9],
    ['R6: an array is replaced whole', ':25', '10.1.2.3', smtpExtensions, ['STARTTLS']],
    ['R7: Listen::Peer', ':25', '10.9.9.9', bannerHostname, 'a'],
    ['R10: the pathway of Peer /0, group::pathway', ':25', '203.0.113.1', maxMessageSize, 6000],
    ['R11: pathway_group', ':25', '203.0.113.1', idleTime, 31],
    ['R12: Peer /0 names inner and outranks Listen', '*:26', '192.0.2.7', idleTime, 31],
    ['R13: pathway out', '[::]:587', '2001:db8::1', dateHeader, 'pedantic'],
    ['R14: global', ':25', '2001:db8::1', allowIpLiteral, false],
    ['R15: a client of a Unix socket counts as 127.0.0.1', '/run/x.sock', '', listenerSessions, 20],
    ['R16: the mapped form is IPv4', ':25', '::ffff:10.1.2.3', smtpExtensions, ['STARTTLS']],
  ];
  test.each(examples)('%s', (_, at, client, wanted, value) => {
    expect(receiving(at, client).get(wanted)).toEqual(value);
  });

  test('R8: listener scopes hide the global list', () => {
    const list = receiving(':25', '10.9.9.9').get(relayHosts);
    expect(list?.matches('10.5.5.5')).toEqual(['10.0.0.0/8']);
    expect(list?.matches('127.0.0.1')).toEqual([]);
  });

  test('R9: global', () => {
    expect(receiving(':25', '203.0.113.1').get(relayHosts)?.matches('127.0.0.1')).toEqual(['127.0.0.1']);
  });

  test('R17: policy chooses another pathway, which is used from then on', () => {
    expect(receiving(':25', '10.1.2.3', 'out').get(idleTime)).toBe(33);
  });

  test('a million clients that match the same blocks share one view', () => {
    expect(receiving(':25', '198.51.100.1')).toBe(receiving(':25', '198.51.100.2'));
  });

  test('listens come with their values for nobody in particular', () => {
    expect(generation.listens().map((each) => [each.listener, each.endpoint, each.view.get(listenerSessions)])).toEqual(
      [
        ['esmtp_listener', { kind: 'tcp', ip: '0.0.0.0', port: 25 }, 70],
        ['esmtp_listener', { kind: 'tcp', ip: '0.0.0.0', port: 26 }, 100],
        ['esmtp_listener', { kind: 'tcp', ip: '::', port: 587 }, 100],
        ['esmtp_listener', { kind: 'unix', path: '/run/x.sock' }, 100],
      ],
    );
  });

  test('caps are counted for the block that set them', () => {
    expect(receiving(':25', '10.1.2.3').owner(listenerSessions).key).toBe('esmtp_listener::peer:10.0.0.0/8');
    expect(receiving(':25', '10.1.2.3').owner(dateHeader).key).toBe('default');
    expect(receiving(':25', '2001:db8::1').owner(allowIpLiteral).key).toBe('global');
    expect(receiving(':25', '2001:db8::1').owner(listenerSessions).key).toBe('esmtp_listener::listen:0.0.0.0\\:25');
  });
});

test('a module stanza has its own values, then defaults; the general ones of Global do not reach it', async () => {
  const heartbeat = option('heartbeat', duration, { scope: 'ec_logger' });
  const mode = option('mainlog_mode', text, { scope: 'ec_logger' });
  const { configuration } = await configured(
    'ec_logger "one" { Heartbeat = 2m } ec_logger { mainlog_mode = 0600 }',
    [heartbeat, mode],
    ['ec_logger'],
  );
  const { current } = configuration;
  expect(current.instances('ec_logger')).toEqual(['one', 'ec_logger']);
  expect(current.stanza('ec_logger', 'one').get(heartbeat)).toBe(120);
  expect(current.stanza('ec_logger', 'ec_logger').get(heartbeat)).toBe(60);
  expect(current.stanza('ec_logger', 'nobody').get(mode)).toBe('0644');
});

test('a stanza inside another one is asked for by both their names', async () => {
  const allow = option('allow', array, { scope: 'role' });
  const { configuration } = await configured(
    'Authorization { Role "b" { Allow = ( "x" ) } Role "a" { } } Authorization { Role "b" { Allow = ( "y" ) } }',
    [allow],
    ['authorization', 'role'],
  );
  const { current } = configuration;
  expect(current.instances('role', 'authorization')).toEqual(['b', 'a']);
  expect(current.instances('role')).toEqual([]);
  expect(current.stanza('role', 'b', 'authorization').get(allow)).toEqual(['y']);
  expect(current.stanza('role', 'nobody', 'authorization').get(allow)).toEqual([]);
});

test('the buffers of an HTTP listener have a default of their own', async () => {
  const buffer = option('tcp_recv_buffer_size', size);
  const { configuration } = await configured(
    'HTTP_Listener { Listen ":8080" { } } ESMTP_Listener { Listen ":2525" { } }',
    [buffer],
  );
  expect(configuration.current.listens().map((each) => each.view.get(buffer))).toEqual([4096, 32768]);
});
