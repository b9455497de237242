import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpoint, entered, ground, LOGIN, shows } from '../../test/support/console/login-ground.ts';
import { digestClient } from '../auth/index.ts';
import { frame, frameKinds } from './frames.ts';

test('the hello names the mechanisms, and nothing may be done before one has succeeded', async () => {
  const served = await ground();
  const peer = served.peer();
  expect(await peer.hears(10)).toEqual([expect.stringContaining('"login":["DIGEST-MD5","LOGIN"]')]);
  expect(await peer.says('pid')).toEqual(['output Authorization required for console session\n', 'end 4']);
  peer.send(frameKinds.complete, 'su');
  expect(await peer.hears(10)).toEqual(['end 4']);
  expect(await shows(peer, 'login', LOGIN)).toEqual(['challenge Username:']);
  expect(await shows(peer, 'respond', Buffer.from('fred'))).toEqual(['challenge Password:']);
  expect(await shows(peer, 'respond', Buffer.from('secret'))).toEqual(['granted ']);
  expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
  expect(served.accounts).toMatchObject([
    {
      type: 'N',
      user: 'fred',
      result: 1,
      listener: '192.0.2.1:2025',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    },
  ]);
});

test('DIGEST-MD5 shows that both ends know the password, and its nonce is another for each try', async () => {
  const served = await ground();
  const nonces = new Set<string>();
  const peer = served.peer();
  await peer.hears(10);
  for (const [password, end] of [
    ['wrong', 'denied login failed'],
    ['secret', expect.stringMatching(/^granted rspauth=[0-9a-f]{32}$/)],
  ] as const) {
    const [challenge = ''] = await shows(peer, 'login', Buffer.from('DIGEST-MD5'));
    nonces.add(/nonce="([^"]+)"/.exec(challenge)?.[1] ?? '');
    const step = digestClient('fred', password, 'console/mx.example', 'cn').challenge(
      Buffer.from(challenge.replace('challenge ', '')),
    );
    expect(await shows(peer, 'respond', step.kind === 'response' ? (step.bytes ?? LOGIN) : LOGIN)).toEqual([end]);
  }
  expect(nonces.size).toBe(2);
});

test('a login that fails is answered late and the same for everybody, and the third ends the console', async () => {
  const served = await ground();
  const peer = served.peer();
  await peer.hears(10);
  for (const [index, user] of ['fred', 'nobody', 'fred'].entries()) {
    await shows(peer, 'login', Buffer.from(`LOGIN\0${user}`));
    expect(await shows(peer, 'respond', Buffer.from('guess'), 900)).toEqual([]);
    expect(await peer.hears(200)).toEqual([
      'denied login failed',
      ...(index === 2 ? ['bye too many failed logins'] : []),
    ]);
  }
  expect(peer.isClosed).toBe(true);
  expect(served.accounts.map(({ type, user, result }) => [type, user, result])).toEqual([
    ['N', 'fred', 0],
    ['N', 'nobody', 0],
    ['N', 'fred', 0],
  ]);
  expect(served.house.clock.pending).toBeLessThan(3);
});

test('a file that cannot be read lets nobody in, and says so', async () => {
  const served = await ground();
  await served.house.disk.remove('/etc/passwords');
  const peer = await entered(served);
  expect(peer.heard.at(-1)).toBe('denied nobody can log in now');
  expect(served.told.find(({ level }) => level === 'ERROR')?.text).toMatch(
    /^IMP_CREDENTIALS digest:\/\/\/etc\/passwords: there is no/,
  );
});

test('conversations that are begun again and again come to an end', async () => {
  const served = await ground();
  const peer = served.peer();
  await peer.hears(10);
  for (let turn = 0; turn < 12; turn++) peer.pipe.write(frame(frameKinds.login, Buffer.from('DIGEST-MD5')));
  const heard = await peer.hears(2000);
  expect(heard.filter((each) => each.startsWith('challenge'))).toHaveLength(10);
  expect(heard.slice(-2)).toEqual(['denied login failed', 'bye too many failed logins']);
});

test('a name of thousands of letters does not fill the logs', async () => {
  const served = await ground();
  const peer = served.peer();
  await peer.hears(10);
  await shows(peer, 'login', Buffer.from(`LOGIN\0${'x'.repeat(8000)}`));
  await shows(peer, 'respond', Buffer.from('guess'));
  expect(served.accounts.at(-1)?.user).toBe('x'.repeat(255));
  expect(served.told.at(-1)?.text.length).toBeLessThan(400);
});

test('who does not log in in time is told so, whatever he sends, and stands in the accounts', async () => {
  const served = await ground();
  const peer = served.peer();
  for (let second = 0; second < 59; second += 2) {
    await peer.hears(1900);
    peer.send(frameKinds.request, 'pid');
  }
  expect((await peer.hears(10_000)).at(-1)).toBe('bye no login within 60 seconds');
  expect(served.accounts).toMatchObject([{ type: 'T', user: '', result: 0 }]);
  expect(served.server.sessions).toBe(0);
});

test.each([
  ['a mechanism that is not offered', 'login', Buffer.from('PLAIN'), 'denied login failed'],
  ['an answer to nothing', 'respond', LOGIN, 'denied login failed'],
  ['a name that is not UTF-8', 'login', Buffer.from([...LOGIN, 0, 0xff]), 'denied login failed'],
] as const)('%s is a failure like others', async (_what, kind, bytes, end) => {
  const served = await ground();
  const peer = served.peer();
  await peer.hears(10);
  expect(await shows(peer, kind, bytes)).toEqual([end]);
});

test('whatever frames a client sends in whatever order, it does not get in and leaves nothing behind', async () => {
  const kinds = Object.values(frameKinds);
  const words = ['LOGIN', 'DIGEST-MD5', 'SCRAM-SHA-256', 'LOGIN\0fred', 'fred', '', 'shutdown', '\0\0\0'];
  const step = fc.tuple(
    fc.constantFrom(...kinds),
    fc.oneof(fc.constantFrom(...words).map(Buffer.from), fc.uint8Array()),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const served = await ground();
      const peer = served.peer();
      for (const [kind, payload] of steps) peer.pipe.write(frame(kind, Buffer.from(payload)));
      await peer.hears(10_000);
      expect(peer.heard.filter((each) => each.startsWith('granted'))).toEqual([]);
      expect(served.house.shutdowns).toEqual([]);
      expect(served.house.diagnostics.of('ERROR')).toEqual([]);
      peer.pipe.destroy();
      await served.house.clock.advance(10_000);
      expect([served.server.sessions, served.house.clock.pending]).toEqual([0, 0]);
    }),
    { numRuns: 100 },
  );
});

describe('who must log in', () => {
  const none = { authdigestmd5parameters: undefined, authloginparameters: undefined };
  const needs = 'a console that others can reach needs a login: set Enable_Authentication and AuthDigestMD5Parameters';
  test.each<[string, string, Record<string, unknown>, string]>([
    ['parameters are enough over TCP', '192.0.2.1:1', {}, 'login'],
    ['parameters of a Unix socket’s own Listen are too', '/run/x', {}, 'login'],
    ['not where it is switched off', '/run/x', { enable_authentication: false }, 'open'],
    ['nor on loopback', '127.0.0.1:1', { enable_authentication: false }, 'open'],
    [
      'but on other addresses switching it off closes the console',
      '0.0.0.0:1',
      { enable_authentication: false },
      needs,
    ],
    ['so does to have nothing', '[::]:1', none, needs],
    ['on loopback that is open', '[::1]:1', none, 'open'],
    ['a login without a way to log in is none', '/run/x', { ...none, enable_authentication: true }, 'Enable_Auth'],
    ['Always_Allow needs none', '0.0.0.0:1', { always_allow: true }, 'open'],
    ['Always_Deny wins', '/run/x', { always_allow: true, always_deny: true }, 'Authorization required'],
  ])('%s', async (_what, where, values, wanted) => {
    const served = await ground(values, endpoint(where));
    const heard = await served.peer().says('pid');
    if (wanted === 'open') expect(heard.slice(1)).toEqual(['output 4711\n', 'end 0']);
    else if (wanted === 'login') expect(heard.slice(1)).toEqual([expect.stringMatching(/^output Author/), 'end 4']);
    else {
      expect(heard.at(-1)).toMatch(`bye ${wanted}`);
      expect([served.server.sessions, served.origins[0]?.ends]).toEqual([0, 1]);
    }
  });

  test('Always_Deny counts as a login that failed', async () => {
    const served = await ground({ always_deny: true });
    expect(await served.peer().hears(10)).toEqual([
      'denied Authorization required for console session',
      'bye Authorization required for console session',
    ]);
    expect(served.accounts).toMatchObject([{ type: 'N', result: 0 }]);
  });
});
