import { describe, expect, test } from 'vitest';
import { type Endpoint, millis } from '../../src/base/index.ts';
import { EcstreamLost, EcstreamSender, type SenderOptions } from '../../src/ecstream/index.ts';
import type { TlsMaterial } from '../../src/world/index.ts';
import { type SimCertificate, SimTls, simIdentity, simWorld } from '../../src/world/sim/index.ts';
import { plain } from '../support/tls-ground.ts';
import { AT, mail } from './house.ts';
import { StreamPeer, type StreamScript } from './stream-peer.ts';

const ca = Buffer.from(simIdentity({ commonName: 'Root' }).chain).toString();
const SIGNED: SimCertificate = { commonName: 'mail', names: ['mail.test'], issuer: 'Root' };
const LOGIN = { user: 'ann', password: 's3cret' };

/** A server with `Use_SSL` that has this certificate. */
const showing = (certificate: SimCertificate, more: Partial<TlsMaterial> = {}): StreamScript => ({
  tls: new SimTls().context({ ...plain, identities: [simIdentity(certificate)], ...more }),
});

async function scene(script: StreamScript, options: Partial<SenderOptions> = {}) {
  const world = simWorld();
  const peer = await StreamPeer.at(world, script);
  const sender = new EcstreamSender(world, { at: AT, tls: { ca, servername: 'mail.test' }, ...options });
  const failure = async (sent: Promise<unknown>): Promise<EcstreamLost> => {
    const why = await world.clock.until(sent.catch((error: unknown) => error));
    expect(why).toBeInstanceOf(EcstreamLost);
    return why as EcstreamLost;
  };
  const later = (seconds: number): Promise<void> => world.clock.advance(millis(seconds * 1000));
  return { world, peer, sender, failure, later };
}

test('a client with tls shakes hands before it says anything, and its login goes encrypted', async () => {
  const logins: string[] = [];
  const { world, peer, sender } = await scene(
    {
      ...showing(SIGNED),
      settings: { auth: true },
      hear: (event, machine) => {
        if (event.kind !== 'auth') return false;
        logins.push(Buffer.from(event.response).toString());
        machine.authenticated();
        return true;
      },
    },
    { login: LOGIN },
  );
  await world.clock.until(sender.send(mail(1)));
  expect(logins).toEqual(['\0ann\0s3cret']);
  expect(peer.facts).toMatchObject([{ protocol: 'TLSv1.3', serverName: 'mail.test' }]);
});

describe('a server whose certificate', () => {
  test.each<readonly [string, SimCertificate, RegExp]>([
    ['has signed itself', { commonName: 'mail', names: ['mail.test'] }, /not trusted: it has signed itself \(DEPTH_/],
    ['is of nobody we know', { ...SIGNED, issuer: 'Else' }, /not trusted: its authority is not known \(UNABLE_/],
    ['has expired', { ...SIGNED, until: 1 }, /not trusted: it has expired \(CERT_HAS_EXPIRED\)/],
    ['is for others', { ...SIGNED, names: ['a.test', 'b.test'] }, /is not for mail\.test, but for a\.test, b\.test$/],
  ])('%s gets neither login nor mail, and the client says so at once', async (_what, certificate, words) => {
    const heard: string[] = [];
    const { world, peer, sender, failure } = await scene(
      { ...showing(certificate), hear: ({ kind }) => heard.push(kind) > 0 },
      { login: LOGIN },
    );
    const before = world.clock.now();
    const second = sender.send(mail(2)).catch((error: unknown) => error);
    expect((await failure(sender.send(mail(1)))).message).toMatch(words);
    expect(await second).toMatchObject({ code: 'IMP_ECSTREAM_LOST', sent: false });
    expect(world.clock.now() - before).toBeLessThan(1000);
    expect([peer.sessions, heard]).toEqual([1, []]);
    // What comes later is tried again, and the client can be closed.
    expect((await failure(sender.send(mail(3)))).message).toMatch(words);
    await world.clock.until(sender.close());
    expect(peer.sessions).toBe(2);
  });

  test('is anything is believed with rejectUnauthorized: false', async () => {
    const { world, peer, sender } = await scene(showing({ commonName: 'x' }), { tls: { rejectUnauthorized: false } });
    await world.clock.until(sender.send(mail(1)));
    // An address is nobody's name.
    expect(peer.facts).toMatchObject([{ serverName: undefined }]);
  });
});

test('without servername the certificate has to name the host that is connected to', async () => {
  const { sender, failure } = await scene(showing(SIGNED), { tls: { ca } });
  expect((await failure(sender.send(mail(1)))).message).toMatch(/is not for 10\.0\.0\.1, but for mail\.test$/);
});

test('with tls: true the authorities that come with Node count, and no others', async () => {
  const { sender, failure } = await scene(showing(SIGNED), { tls: true });
  expect((await failure(sender.send(mail(1)))).message).toMatch(/its authority is not known/);
});

test('a server without TLS is tried again like one that starts, and in the end the client says what it may be', async () => {
  const { world, peer, sender, failure } = await scene({}, { patience: 5000 });
  const before = world.clock.now();
  expect((await failure(sender.send(mail(1)))).message).toBe(
    'the server closed the connection during the TLS handshake, as a listener without Use_SSL does',
  );
  expect(world.clock.now() - before).toBeGreaterThanOrEqual(5000);
  expect(peer.sessions).toBeGreaterThan(3);
  expect(peer.taken).toEqual([]);
});

test('where both ends have no version of TLS in common the client says so at once', async () => {
  const { peer, sender, failure } = await scene(showing(SIGNED, { protocols: ['TLSv1'] }));
  expect((await failure(sender.send(mail(1)))).message).toBe('no TLS with the server: unsupported protocol');
  expect(peer.sessions).toBe(1);
});

test('a server that never ends the handshake is left after connectTimeout, and mail goes once it does', async () => {
  const { world, peer, sender, later } = await scene(showing(SIGNED), { connectTimeout: 5000 });
  world.network.breakTls('10.0.0.1:1825', 'silent');
  const sent = sender.send(mail(1));
  await later(4);
  expect(peer.sessions).toBe(1);
  world.network.heal('10.0.0.1:1825');
  await later(2);
  await world.clock.until(sent);
  expect([peer.sessions, peer.facts.length]).toEqual([2, 1]);
});

test('a server that is not there yet is waited for', async () => {
  const world = simWorld();
  const sender = new EcstreamSender(world, { at: AT, tls: { ca, servername: 'mail.test' } });
  const sent = sender.send(mail(1));
  await world.clock.advance(millis(10_000));
  const peer = await StreamPeer.at(world, showing(SIGNED));
  await world.clock.until(sent);
  expect(peer.taken).toHaveLength(1);
});

test('a server that asks is shown the certificate of the client', async () => {
  const own = simIdentity({ commonName: 'client.test', issuer: 'Root' });
  const text = Buffer.concat([own.chain, own.key]);
  const { world, peer, sender } = await scene(
    showing(SIGNED, { asks: 'always', authorities: simIdentity({ commonName: 'Root' }).chain }),
    // One text holds both.
    { tls: { ca, servername: 'mail.test', cert: text } },
  );
  await world.clock.until(sender.send(mail(1)));
  expect(peer.facts).toMatchObject([{ peer: { commonName: 'client.test' } }]);
});

test.each<readonly [string, Partial<SenderOptions>, RegExp]>([
  ['a list of authorities without one', { tls: { ca: 'nothing' } }, /^tls\.ca: there is no certificate in it$/],
  ['a certificate that is none', { tls: { cert: 'nothing' } }, /^tls\.cert: /],
  ['a key without a certificate', { tls: { key: 'x' } }, /^tls\.key is of no use without tls\.cert$/],
  ['a socket that has no name', { at: { kind: 'unix', path: '/s' }, tls: true }, /^tls\.servername is needed/],
])('%s is refused when the client is made', (_what, options, words) => {
  const make = (): EcstreamSender => new EcstreamSender(simWorld(), { at: AT, ...options });
  expect(make).toThrow(RangeError);
  expect(make).toThrow(words);
});

describe('a login in clear', () => {
  const to = (ip: string): Endpoint => ({ kind: 'tcp', ip, port: 1825 });
  const make = (options: SenderOptions) => (): EcstreamSender => new EcstreamSender(simWorld(), options);

  test.each([
    '192.0.2.1',
    '10.0.0.1',
    '2001:db8::1',
    '::ffff:192.0.2.1',
    'mail.example.com',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '127.1.evil.test',
  ])('to %s is refused when the client is made', (host) => {
    for (const login of [LOGIN, { apiKey: 'x'.repeat(40) }]) {
      expect(make({ at: to(host), login })).toThrow(/^the login would go to .+ in clear: use tls/);
      expect(make({ at: to(host), login, tls: false })).toThrow(RangeError);
    }
    expect(make({ at: to(host) })).not.toThrow();
    expect(make({ at: to(host), login: LOGIN, insecureLogin: true })).not.toThrow();
    expect(make({ at: to(host), login: LOGIN, tls: true })).not.toThrow();
  });

  test.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', 'localhost', 'mail.localhost'])(
    'to %s stays on this machine',
    (host) => {
      expect(make({ at: to(host), login: LOGIN })).not.toThrow();
    },
  );

  test('over a Unix socket stays on this machine', () => {
    expect(make({ at: { kind: 'unix', path: '/s' }, login: LOGIN })).not.toThrow();
  });
});
