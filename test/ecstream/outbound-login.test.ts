import { describe, expect, test } from 'vitest';
import { seconds } from '../../src/base/index.ts';
import { reply } from '../../src/smtp/index.ts';
import { SimTls, simIdentity } from '../../src/world/sim/index.ts';
import { MailRoom } from '../support/mail-room.ts';
import { plain } from '../support/tls-ground.ts';
import { StreamPeer, type StreamScript } from './stream-peer.ts';

type Options = Readonly<Record<string, unknown>>;

const GATEWAY = { gateway: '10.0.0.1', delivery_method: 'ECSTREAM', retry_interval: seconds(60) };
const ANN = { outbound_smtp_auth_type: 'PLAIN', outbound_smtp_auth_user: 'ann', outbound_smtp_auth_pass: 'secret' };
const CLEAR = { outbound_smtp_auth_insecure: true };
const SECURE: StreamScript = {
  tls: new SimTls().context({ ...plain, identities: [simIdentity({ commonName: 'relay' })] }),
};

/** A peer that wants a login and knows these, as `user password`. */
async function scene(options: Options, script: StreamScript = {}, domains: Readonly<Record<string, Options>> = {}) {
  const values = (more: Options) => ({
    global: { ...GATEWAY, ...options, ...more },
    domains: Object.fromEntries(
      Object.entries(domains).map(([name, own]) => [name, { ...GATEWAY, ...options, ...more, ...own }]),
    ),
  });
  const room = new MailRoom(values({}));
  const known = new Set(['ann secret', 'bob hidden']);
  /** Each login, and the mail that followed it in its session. */
  const logins: string[] = [];
  const peer = await StreamPeer.at(room, {
    settings: { auth: true },
    ...script,
    hear(event, machine) {
      const session = peer.machines.indexOf(machine);
      if (event.kind === 'message') {
        const to = event.envelope.recipients.map(({ address }) => address).join(' ');
        logins[session] = `${logins[session] ?? 'nobody'}: ${to}`;
      }
      if (event.kind !== 'auth') return false;
      const [, user = '', password = ''] = Buffer.from(event.response).toString().split('\0');
      logins[session] = `${event.mechanism} ${user} ${password}`;
      if (known.has(`${user} ${password}`)) machine.authenticated();
      else machine.notAuthenticated(reply(535, '5.7.8', 'no such user'));
      return true;
    },
  });
  const change = (more: Options): void => room.reconfigure(values(more));
  return { room, peer, logins, known, change };
}

const DELIVERED = 'delivery a@y.test 9 0 250 2.0.0 OK id1';

describe('a peer that wants a login', () => {
  test.each(['PLAIN', 'LOGIN'])('gets it over TLS, once in a session, where the type is %s', async (type) => {
    const { room, logins } = await scene({ ...ANN, outbound_smtp_auth_type: type, tls: 'required' }, SECURE);
    room.receive('a@y.test');
    await room.later(1);
    room.receive('b@y.test');
    await room.later(1);
    expect(room.happened()).toEqual([DELIVERED, 'delivery b@y.test 9 0 250 2.0.0 OK id2']);
    expect(logins).toEqual(['1 ann secret: a@y.test: b@y.test']);
    expect(room.complaints).toEqual([]);
  });

  test('gets it in clear with outbound_smtp_auth_insecure only', async () => {
    const { room, logins } = await scene({ ...ANN, ...CLEAR });
    room.receive('a@y.test');
    await room.later(1);
    expect([room.happened(), logins]).toEqual([[DELIVERED], ['1 ann secret: a@y.test']]);
  });

  test('and that TLS has failed with gets nothing in clear, although TLS was not demanded', async () => {
    const { room, peer, logins } = await scene({ ...ANN, tls: 'ifavailable' });
    room.receive('a@y.test');
    await room.later(5);
    expect(room.happened()).toEqual([
      'transient a@y.test 11 0 451 4.7.5 [internal] AUTH required but connection not encrypted',
    ]);
    expect([peer.sessions, logins]).toEqual([2, []]);
  });
});

test('a peer that wants none hears of none', async () => {
  const { room, logins } = await scene({ ...ANN, tls: 'required' }, { ...SECURE, settings: {} });
  room.receive('a@y.test');
  await room.later(1);
  expect([room.happened(), logins]).toEqual([[DELIVERED], ['nobody: a@y.test']]);
});

test.each<readonly [string, Options, string]>([
  [
    'the peer does not know the password',
    { ...ANN, ...CLEAR, outbound_smtp_auth_pass: 'wrong' },
    '4.7.0 [internal] AUTH failed: 535 5.7.8 no such user',
  ],
  ['the connection is not encrypted', ANN, '4.7.5 [internal] AUTH required but connection not encrypted'],
  [
    'there is no password',
    { ...CLEAR, outbound_smtp_auth_type: 'PLAIN', outbound_smtp_auth_user: 'ann' },
    '4.7.0 [internal] AUTH required but user or password missing',
  ],
  ['there is no login', {}, '4.7.0 [internal] the peer wants a login, and Outbound_SMTP_Auth_Type is not set'],
  [
    'user and password are there without their type',
    { ...CLEAR, outbound_smtp_auth_user: 'ann', outbound_smtp_auth_pass: 'secret' },
    '4.7.0 [internal] the peer wants a login, and Outbound_SMTP_Auth_Type is not set',
  ],
  [
    'the login is an access token',
    { ...ANN, ...CLEAR, outbound_smtp_auth_type: 'XOAUTH2' },
    '4.7.6 [internal] AUTH required but ECStream has no XOAUTH2',
  ],
  [
    'the login is longer than a frame can say',
    { ...ANN, ...CLEAR, outbound_smtp_auth_pass: 'x'.repeat(65_536) },
    '4.7.0 [internal] AUTH failed: 500 5.5.6 the login is longer than a frame can say',
  ],
])('where %s mail waits, nothing of it is sent, and the paniclog says so once', async (_what, options, text) => {
  const { room, peer, change } = await scene(options);
  room.receive('a@y.test');
  await room.later(2);
  expect(room.happened()).toEqual([`transient a@y.test 11 0 451 ${text}`]);
  expect(room.delivery.outboundConcurrency).toBe(0);
  await room.later(300);
  const again = room.happened();
  expect(again.length).toBeGreaterThan(0);
  expect(again.every((line) => line.includes(text))).toBe(true);
  expect(room.complaints).toEqual([`10.0.0.1/default: 10.0.0.1: ${text.slice(text.indexOf('['))}`]);
  expect([peer.taken, room.balance]).toEqual([[], 0]);
  // Mended, the mail goes; and what breaks after that is told of anew.
  change({ ...ANN, ...CLEAR });
  await room.later(700);
  expect(room.happened().at(-1)).toMatch(/^delivery a@y\.test 9 /);
  change({ ...ANN, ...CLEAR, outbound_smtp_auth_pass: 'worse' });
  room.receive('b@y.test');
  await room.later(5);
  expect(room.complaints).toEqual([expect.any(String), expect.stringMatching(/AUTH failed: 535/)]);
  expect(room.complaints.join()).not.toMatch(/secret|wrong|worse|xxx/);
});

test('gateways that lead to one address each get their own login, and no session is used for both', async () => {
  const bob = { outbound_smtp_auth_user: 'bob', outbound_smtp_auth_pass: 'hidden' };
  const domains = { 'y.test': { gateway: 'one.test' }, 'z.test': { gateway: 'two.test' }, 'two.test': bob };
  const { room, logins } = await scene({ ...ANN, ...CLEAR }, {}, domains);
  for (const gateway of ['one.test', 'two.test']) room.mx(gateway, [[10, 'relay.test', '10.0.0.1']]);
  for (let n = 0; n < 3; n++) {
    room.receive(`y${n}@y.test`);
    room.receive(`z${n}@z.test`);
    await room.later(1);
  }
  expect(logins.toSorted()).toEqual([
    '1 ann secret: y0@y.test: y1@y.test: y2@y.test',
    '1 bob hidden: z0@z.test: z1@z.test: z2@z.test',
  ]);
});

test('a session that is open ends before the next message when the login changes', async () => {
  const { room, logins, change } = await scene({ ...ANN, ...CLEAR });
  room.receive('a@y.test');
  await room.later(1);
  change({ ...ANN, ...CLEAR, outbound_smtp_auth_user: 'bob', outbound_smtp_auth_pass: 'hidden' });
  room.receive('b@y.test');
  await room.later(1);
  expect(logins).toEqual(['1 ann secret: a@y.test', '1 bob hidden: b@y.test']);
  expect(room.happened()).toEqual([DELIVERED, 'delivery b@y.test 9 0 250 2.0.0 OK id1']);
});
