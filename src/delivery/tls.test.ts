import { describe, expect, test } from 'vitest';
import { domainOf, type Values } from '../../test/support/generation.ts';
import { MailRoom } from '../../test/support/mail-room.ts';
import type { Script, ScriptedPeer } from '../../test/support/scripted-peer.ts';
import type { AttemptEvent } from '../events/index.ts';
import type { TlsContext, TlsMaterial } from '../world/index.ts';
import { type SimCertificate, SimTls, simIdentity } from '../world/sim/index.ts';

const simTls = new SimTls();

function contextOf(certificate: SimCertificate, more: Partial<TlsMaterial> = {}): TlsContext {
  return simTls.context({
    identities: [simIdentity(certificate)],
    authorities: 'nobody',
    ciphers: 'DEFAULT',
    suites: 'TLS_AES_128_GCM_SHA256',
    curves: undefined,
    protocols: ['TLSv1.2', 'TLSv1.3'],
    dh: 'none',
    asks: 'no',
    renegotiation: false,
    ...more,
  });
}

const selfSigned: SimCertificate = { commonName: 'mx.dst.test', names: ['mx.dst.test'] };
const signed: SimCertificate = { ...selfSigned, issuer: 'Root' };

interface Scene {
  readonly room: MailRoom;
  readonly peer: ScriptedPeer;
}

/** A pair whose exchanger is at 192.0.2.1. `files` are there to be read, as the shelf wants them. */
async function scene(
  options: Readonly<Record<string, unknown>>,
  script: Script = {},
  files: Readonly<Record<string, Uint8Array>> = {},
): Promise<Scene> {
  const room = new MailRoom({ global: options });
  for (const [path, bytes] of Object.entries(files)) {
    room.files.set(path, bytes);
    await room.tls.files.read(path);
  }
  const peer = await room.peer('dst.test', '192.0.2.1', script);
  return { room, peer };
}

async function deliver({ room }: Scene, seconds = 2): Promise<readonly string[]> {
  room.receive('b@dst.test');
  await room.later(seconds);
  return room.happened();
}

const ROOT = { '/ca.pem': simIdentity({ commonName: 'Root' }).chain };

describe('with tls = ifavailable', () => {
  test('mail goes encrypted where that is offered, and the exchanger is asked for by its name', async () => {
    const made = await scene({ tls: 'ifavailable' }, { tls: contextOf(selfSigned) });
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.taken[0]?.tls).toMatchObject({ protocol: 'TLSv1.3', serverName: 'mx.dst.test' });
    expect(made.peer.sessions).toBe(1);
  });

  test('and in clear where it is not', async () => {
    const made = await scene({ tls: 'ifavailable' });
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.taken[0]?.tls).toBeUndefined();
  });

  test('when the handshake fails, the next connection is in clear, at once, and nothing is charged', async () => {
    const made = await scene({ tls: 'ifavailable' }, { tls: contextOf(selfSigned) });
    made.room.network.breakTls('192.0.2.1:25', 'bad record mac');
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect([made.peer.sessions, made.peer.taken[0]?.tls]).toEqual([2, undefined]);
    // The next session tries TLS again.
    made.room.network.heal('192.0.2.1:25');
    await made.room.later(20);
    await deliver(made);
    expect(made.peer.taken[1]?.tls).toBeDefined();
  });

  test('when STARTTLS is refused, too', async () => {
    const made = await scene({ tls: 'ifavailable' }, { tls: contextOf(selfSigned), starttls: () => '454 4.7.0 no' });
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.sessions).toBe(2);
  });

  test('or in the same session, without tls_fallback_always_new_connection', async () => {
    const made = await scene(
      { tls: 'ifavailable', tls_fallback_always_new_connection: false },
      { tls: contextOf(selfSigned), starttls: () => '454 4.7.0 no' },
    );
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.sessions).toBe(1);
  });

  test('when the peer hangs up on STARTTLS, another connection is in clear', async () => {
    const made = await scene(
      { tls: 'ifavailable', tls_fallback_always_new_connection: false },
      { tls: contextOf(selfSigned), starttls: () => '' },
    );
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.sessions).toBe(2);
  });

  test('when the handshake never ends, ehlo_timeout does', async () => {
    const made = await scene({ tls: 'ifavailable', ehlo_timeout: 7 }, { tls: contextOf(selfSigned) });
    made.room.network.breakTls('192.0.2.1:25', 'silent');
    expect(await deliver(made, 6)).toEqual([]);
    await made.room.later(3);
    expect(made.room.happened()).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
  });

  test('a message in each of many connections falls back once for each', async () => {
    const made = await scene({ tls: 'ifavailable', max_outbound_connections: 5 }, { tls: contextOf(selfSigned) });
    made.room.network.breakTls('192.0.2.1:25', 'bad record mac');
    for (let n = 0; n < 20; n++) made.room.receive(`b${n}@dst.test`);
    await made.room.later(5);
    expect(made.room.happened()).toHaveLength(20);
    expect(made.peer.taken).toHaveLength(20);
    expect(made.peer.sessions).toBeLessThanOrEqual(10);
  });

  test.each<[string, Values]>([
    ['one connection to the host', { hosts: { 'mx.dst.test': { max_outbound_connections: 1 } } }],
    ['one connection in a minute', { global: { outbound_throttle_connections: { count: 1, seconds: 60 } } }],
    [
      'one connection to the host in a minute',
      { hosts: { 'mx.dst.test': { outbound_throttle_connections: { count: 1, seconds: 60 } } } },
    ],
  ])('a limit of %s does not keep it from falling back', async (_, values) => {
    const room = new MailRoom({ ...values, global: { tls: 'ifavailable', ...values.global } });
    // It takes its time to say goodbye: the first connection still counts when the second is wanted.
    const script: Script = { tls: contextOf(selfSigned), starttls: () => '454 4.7.0 no', quit: () => '221 bye' };
    const peer = await room.peer('dst.test', '192.0.2.1', script);
    for (let n = 0; n < 20; n++) room.receive(`b${n}@dst.test`);
    await room.later(90);
    expect([peer.taken.length, peer.sessions]).toEqual([20, 2]);
  });

  test.each<[string, string, string]>([
    ['the handshake fails', '220 go', '451 4.7.5 [internal] TLS negotiation failed'],
    ['STARTTLS is refused', '454 4.7.0 no', '451 4.7.5 [internal] no tls go-ahead'],
  ])('without tls_ifavailable_fallback it is delayed when %s, and TLS is tried again', async (_, said, text) => {
    const made = await scene(
      { tls: 'ifavailable', tls_ifavailable_fallback: false, host_failure_retry: 60, retry_interval: 100 },
      { tls: contextOf(selfSigned), starttls: () => said },
    );
    made.room.network.breakTls('192.0.2.1:25', 'bad record mac');
    const stage = said.startsWith('220') ? 17 : 16;
    expect(await deliver(made)).toEqual([`transient b@dst.test ${stage} 0 ${text}`]);
    made.room.network.heal('192.0.2.1:25');
    made.peer.script = { tls: contextOf(selfSigned) };
    await made.room.later(120);
    expect(made.room.happened()).toEqual(['delivery b@dst.test 9 1 250 2.0.0 taken']);
    expect(made.peer.taken[0]?.tls).toBeDefined();
  });
});

describe('with tls = required', () => {
  test('mail goes encrypted, whoever signed the certificate', async () => {
    const made = await scene({ tls: 'required' }, { tls: contextOf(selfSigned) });
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.taken[0]?.tls).toBeDefined();
  });

  test.each<[string, Script, string | undefined, string]>([
    ['it is not offered', {}, undefined, '11 0 451 4.7.6 [internal] STARTTLS required but not advertised'],
    [
      'STARTTLS is refused',
      { tls: contextOf(selfSigned), starttls: () => '554 no' },
      undefined,
      '16 0 451 4.7.5 [internal] no tls go-ahead',
    ],
    [
      'the peer hangs up on STARTTLS',
      { tls: contextOf(selfSigned), starttls: () => '' },
      undefined,
      '15 0 451 4.7.5 [internal] no tls go-ahead',
    ],
    [
      'the handshake fails',
      { tls: contextOf(selfSigned) },
      'bad record mac',
      '17 0 451 4.7.5 [internal] TLS negotiation failed',
    ],
    [
      'there is no protocol in common',
      { tls: contextOf(selfSigned, { protocols: ['TLSv1.1'] }) },
      undefined,
      '17 0 451 4.7.5 [internal] TLS negotiation failed',
    ],
  ])('mail stays when %s, and is tried again later', async (_, script, trouble, expected) => {
    const made = await scene({ tls: 'required', retry_interval: 600 }, script);
    if (trouble !== undefined) made.room.network.breakTls('192.0.2.1:25', trouble);
    expect(await deliver(made)).toEqual([`transient b@dst.test ${expected}`]);
    expect([made.peer.taken, made.room.balance]).toEqual([[], 0]);
  });

  test('another exchanger that has TLS takes it', async () => {
    const { room, peer } = await scene({ tls: 'required' });
    const { ScriptedPeer } = await import('../../test/support/scripted-peer.ts');
    const better = new ScriptedPeer({ tls: contextOf({ commonName: 'mx2.dst.test' }) });
    await room.network.listen({ kind: 'tcp', ip: '192.0.2.2', port: 25 }, { backlog: 1, fileMode: 0 }, better.accept);
    room.mx('dst.test', [
      [10, 'mx.dst.test', '192.0.2.1'],
      [20, 'mx2.dst.test', '192.0.2.2'],
    ]);
    room.receive('b@dst.test');
    await room.later(2);
    expect(room.happened()).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect([peer.taken.length, better.taken[0]?.tls?.serverName]).toEqual([0, 'mx2.dst.test']);
  });

  test('one message is charged for it, not the queue, and a pair that demands nothing is not kept from that host', async () => {
    const room = new MailRoom({ domains: { 'dst.test': { tls: 'required' } } });
    const peer = await room.peer('dst.test', '192.0.2.1');
    room.mx('other.test', [[10, 'mx.dst.test', '192.0.2.1']]);
    for (let n = 0; n < 5; n++) room.receive(`b${n}@dst.test`);
    await room.later(2);
    expect(room.happened()).toEqual([
      'transient b0@dst.test 11 0 451 4.7.6 [internal] STARTTLS required but not advertised',
    ]);
    expect(room.queues.find('default' as never, domainOf('dst.test'))).toMatchObject({ active: 4, delayed: 1 });
    room.receive('c@other.test');
    await room.later(2);
    expect(room.happened()).toEqual(['delivery c@other.test 9 0 250 2.0.0 taken']);
    expect(peer.taken).toHaveLength(1);
  });
});

describe('the certificate of the peer', () => {
  const untrusted = '451 4.7.5 [internal] remote node SSL certificate not signed by a valid CA';
  const otherHost = '451 4.7.5 [internal] SSL certificate subject does not match host';

  test.each<[string, SimCertificate, string | undefined]>([
    ['ca', signed, undefined],
    ['ca', { commonName: 'elsewhere.test', issuer: 'Root' }, undefined],
    ['ca', selfSigned, untrusted],
    ['ca', { ...signed, until: 1 }, untrusted],
    ['host', signed, undefined],
    ['host', { commonName: 'dst.test', issuer: 'Root' }, undefined],
    ['host', { commonName: 'x', names: ['*.dst.test'], issuer: 'Root' }, undefined],
    ['host', { commonName: 'elsewhere.test', issuer: 'Root' }, otherHost],
    ['host', selfSigned, untrusted],
    ['optional', selfSigned, undefined],
    ['optional', { commonName: 'elsewhere.test', issuer: 'Root' }, undefined],
    ['no', selfSigned, undefined],
  ])('with tls_verify = %s is %j', async (tls_verify, certificate, refusal) => {
    const options = { tls: 'required', tls_verify, tls_ca: '/ca.pem' };
    const made = await scene(options, { tls: contextOf(certificate) }, ROOT);
    expect(await deliver(made)).toEqual([
      refusal === undefined ? 'delivery b@dst.test 9 0 250 2.0.0 taken' : `transient b@dst.test 17 0 ${refusal}`,
    ]);
  });

  test('that is not what it should be is no reason to go on in clear', async () => {
    const options = { tls: 'ifavailable', tls_verify: 'ca', tls_ca: '/ca.pem' };
    const made = await scene(options, { tls: contextOf(selfSigned) }, ROOT);
    expect(await deliver(made)).toEqual([`transient b@dst.test 17 0 ${untrusted}`]);
    expect(made.peer.taken).toEqual([]);
  });

  test('ours is shown to who asks for it', async () => {
    const made = await scene(
      { tls: 'required', tls_certificate: '/me.crt', tls_key: '/me.key' },
      { tls: contextOf(selfSigned, { asks: 'always', authorities: ROOT['/ca.pem'] }) },
      {
        '/me.crt': simIdentity({ commonName: 'me.test', issuer: 'Root' }).chain,
        '/me.key': simIdentity({ commonName: 'me.test' }).key,
      },
    );
    expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
    expect(made.peer.taken[0]?.tls?.peer).toMatchObject({ commonName: 'me.test', distrust: undefined });
  });

  test('ours cannot be used: required mail waits, and the operator is told', async () => {
    const made = await scene({ tls: 'required', tls_certificate: '/gone.pem' }, { tls: contextOf(selfSigned) });
    expect(await deliver(made)).toEqual(['transient b@dst.test 17 0 451 4.7.5 [internal] TLS negotiation failed']);
    expect(made.room.complaints).toEqual([
      '/gone.pem cannot be used: /gone.pem could not be read; TLS is not to be had',
    ]);
  });
});

test('ours cannot be used: mail that may go in clear does', async () => {
  const made = await scene({ tls: 'ifavailable', tls_certificate: '/gone.pem' }, { tls: contextOf(selfSigned) });
  expect(await deliver(made)).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
  expect([made.peer.sessions, made.peer.taken[0]?.tls]).toEqual([1, undefined]);
  const strict = await scene(
    { tls: 'ifavailable', tls_ifavailable_fallback: false, tls_certificate: '/gone.pem' },
    { tls: contextOf(selfSigned) },
  );
  expect(await deliver(strict)).toEqual(['transient b@dst.test 17 0 451 4.7.5 [internal] TLS negotiation failed']);
});

describe('log lines of an attempt', () => {
  const attempts = (room: MailRoom): readonly AttemptEvent[] =>
    room.recorded.filter((event): event is AttemptEvent => 'stage' in event);

  test('tell protocol, cipher, bits, certificate, and whether it was verified', async () => {
    const options = { tls: 'ifavailable', tls_verify: 'optional', tls_ca: '/ca.pem' };
    const made = await scene(options, { tls: contextOf(signed) }, ROOT);
    made.room.receive('b@dst.test');
    await made.room.later(2);
    expect(attempts(made.room)[0]?.tls).toEqual({
      type: 'ifavailable',
      localIp: '127.0.0.1',
      session: {
        protocol: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        cipherBits: 128,
        secretBits: 128,
        verified: true,
        issuer: '/CN=Root',
        subject: '/CN=mx.dst.test',
      },
    });
  });

  test('tell that a session was in clear, and nothing where none stood', async () => {
    const clear = await scene({ tls: 'ifavailable' });
    clear.room.receive('b@dst.test');
    await clear.room.later(2);
    expect(attempts(clear.room)[0]?.tls).toEqual({ type: 'ifavailable', localIp: '127.0.0.1', session: undefined });
    const none = await scene({ tls: 'required' });
    none.room.receive('b@dst.test');
    await none.room.later(2);
    expect(attempts(none.room)[0]?.tls).toBeUndefined();
  });
});

test('a change of the TLS options ends idle sessions that were opened under the old ones', async () => {
  const made = await scene({ tls: 'no', idle_timeout: 600 }, { tls: contextOf(selfSigned) });
  await deliver(made);
  made.room.reconfigure({ global: { tls: 'required', idle_timeout: 600 } });
  await deliver(made);
  expect(made.peer.taken.map((mail) => mail.tls !== undefined)).toEqual([false, true]);
  expect(made.peer.sessions).toBe(2);
});

test.each([
  ['required', { tls: 'required' }],
  ['ifavailable without a fallback', { tls: 'ifavailable', tls_ifavailable_fallback: false }],
])('a connection in clear text that waits for its turn is not made when TLS is %s meanwhile', async (_, options) => {
  const throttle = { outbound_throttle_connections: { count: 1, seconds: 60 } };
  const made = await scene({ tls: 'ifavailable', ...throttle }, { tls: contextOf(selfSigned) });
  made.room.network.breakTls('192.0.2.1:25', 'bad record mac');
  await deliver(made);
  made.room.reconfigure({ global: { ...options, ...throttle } });
  await made.room.later(90);
  expect([made.peer.sessions, made.peer.taken]).toEqual([2, []]);
});
