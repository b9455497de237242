import { expect, test } from 'vitest';
import { errorOf, type HttpAnswer, HttpRoom } from '../../test/support/http-room.ts';
import { json } from './answer.ts';
import { readAuthorization } from './authorization.ts';
import type { Credentials } from './credentials.ts';
import { md5 } from './digest.ts';
import { type Route, route } from './route.ts';

/** Says who somebody was taken for. */
const who = (path: string, access: Route['access']): Route =>
  route({
    method: 'GET',
    path,
    summary: 'who',
    tag: 'test',
    access,
    answer: { status: 200, summary: 'who' },
    run: ({ principal }) =>
      json(
        principal.kind === 'key'
          ? `key ${principal.label}`
          : principal.kind === 'user'
            ? `user ${principal.name}`
            : principal.kind,
      ),
  });

const routes = [
  who('/public', { kind: 'public' }),
  who('/stats', { kind: 'listener', grant: 'stats/view' }),
  who('/api', { kind: 'key', grant: 'templates/view' }),
];

/** One user, ann with the password "se:cret", in a realm of the listener's or of the parameters'. */
const stores = (realm?: string): Credentials => ({
  offers: () => ({ basic: true, digest: { realm } }),
  check: async (_view, user, password) => (user === 'ann' && password === 'se:cret' ? 'right' : 'wrong'),
  digest: async (_view, user, asked) => ({ secret: user === 'ann' ? md5(`ann:${asked}:se:cret`) : md5('nobody') }),
});

const open = (listener = '', credentials = stores()) => HttpRoom.open({ routes, listener, credentials });
const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
const said = ({ status, text }: HttpAnswer): string => (status === 200 ? String(JSON.parse(text)) : String(status));

test('without Enable_Authentication statistics are for whoever reaches the listener, and /api needs a key', async () => {
  const room = await open();
  expect(said(await room.ask('GET /public'))).toBe('anonymous');
  expect(said(await room.ask('GET /stats'))).toBe('anonymous');
  const refused = await room.ask('GET /api');
  expect(errorOf(refused)).toMatchObject({ status: 401, code: '1100' });
  expect(refused.text).toContain('"message":"Unauthorized."');
  expect(refused.headers['www-authenticate']).toBe('Bearer realm="mx.example"');
});

test('with Enable_Authentication a login or a key is needed, and each way that would do is named', async () => {
  const room = await open('Enable_Authentication = true');
  expect(said(await room.ask('GET /public'))).toBe('anonymous');
  const refused = await room.ask('GET /stats');
  expect(refused.status).toBe(401);
  expect(refused.headers['www-authenticate']).toMatch(
    /^Digest realm="mx\.example", qop="auth", algorithm=MD5, nonce="[0-9a-f.]+", Basic realm="mx\.example", charset="UTF-8", Bearer realm="mx\.example"$/,
  );
  expect(said(await room.ask(`GET /stats\n${basic('ann:se:cret')}`))).toBe('user ann');
  for (const wrong of ['ann:secret', 'bob:se:cret', ':', 'ann'])
    expect([wrong, said(await room.ask(`GET /stats\n${basic(wrong)}`))]).toEqual([wrong, '401']);
  expect(said(await room.ask('GET /stats\nAuthorization: Basic !!!'))).toBe('401');
  expect(said(await room.ask(`GET /api\n${basic('ann:se:cret')}`))).toBe('401');
});

test('Always_Allow needs nothing, and Always_Deny wins over it, also for what does not exist', async () => {
  const room = await open('Enable_Authentication = true\nAlways_Allow = true');
  expect(said(await room.ask('GET /stats'))).toBe('trusted');
  expect(said(await room.ask('GET /api'))).toBe('trusted');
  const shut = await open('Always_Deny = true\nAlways_Allow = true');
  for (const path of ['/public', '/stats', '/api', '/nothing'])
    expect(errorOf(await shut.ask(`GET ${path}`))).toMatchObject({ status: 403, code: '1100' });
});

test('values of the nearest Peer hold', async () => {
  const room = await open(
    'Always_Deny = true\nPeer "127.0.0.0/8" { Always_Deny = false }\nPeer "127.9.0.0/16" { Always_Deny = true }',
  );
  expect(said(await room.ask('GET /public'))).toBe('anonymous');
  expect(said(await room.ask('GET /public', '', '127.9.1.1'))).toBe('403');
});

test('a key is taken as it is, as Bearer, and as the user of Basic without a password', async () => {
  const room = await open('Enable_Authentication = true');
  const key = await room.key('stats/view', 'templates/view');
  for (const field of [key, `Bearer ${key}`, `bearer ${key}`, `Basic ${Buffer.from(`${key}:`).toString('base64')}`]) {
    expect(said(await room.ask(`GET /stats\nAuthorization: ${field}`))).toBe('key a test');
    expect(said(await room.ask(`GET /api\nAuthorization: ${field}`))).toBe('key a test');
  }
});

test('an unknown key is 401, a known one without the grant is 403', async () => {
  const room = await open();
  const key = await room.key('stats/view');
  const turned = `${key[0] === '0' ? '1' : '0'}${key.slice(1)}`;
  expect(said(await room.ask(`GET /stats\nAuthorization: ${turned}`))).toBe('401');
  expect(errorOf(await room.ask(`GET /api\nAuthorization: ${key}`))).toEqual({
    status: 403,
    code: '1100',
    description: 'this key has no grant templates/view',
  });
});

/** What a client of RFC 7616 answers to a challenge. */
function digest(
  challenge: string,
  { user = 'ann', password = 'se:cret', nc = '00000001', uri = '/stats', method = 'GET' } = {},
): string {
  const of = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const realm = of('realm');
  const nonce = of('nonce');
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:${nc}:c0:auth:${md5(`${method}:${uri}`)}`);
  return `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", qop=auth, nc=${nc}, cnonce="c0", algorithm=MD5, response="${response}"`;
}

test('Digest: a nonce may be used again with another count, never with the same', async () => {
  const room = await open('Enable_Authentication = true', stores('Momentum "HTTP"'));
  const challenge = (await room.ask('GET /stats')).headers['www-authenticate']?.replaceAll('\\"', "'") ?? '';
  expect(challenge).toContain('realm="Momentum \'HTTP\'"');
  const plain = await open('Enable_Authentication = true');
  const first = (await plain.ask('GET /stats')).headers['www-authenticate'] ?? '';
  expect(said(await plain.ask(`GET /stats\n${digest(first)}`))).toBe('user ann');
  const again = await plain.ask(`GET /stats\n${digest(first)}`);
  expect([again.status, again.headers['www-authenticate']?.includes('stale=true')]).toEqual([401, true]);
  expect(said(await plain.ask(`GET /stats\n${digest(first, { nc: '00000002' })}`))).toBe('user ann');
});

test('Digest: a wrong password, another path or method, and a nonce that is old or not ours are refused', async () => {
  const room = await open('Enable_Authentication = true');
  const challenge = async () => (await room.ask('GET /stats')).headers['www-authenticate'] ?? '';
  for (const wrong of [{ password: 'x' }, { user: 'bob' }, { uri: '/public' }, { method: 'POST' }, { nc: 'x' }]) {
    expect([wrong, said(await room.ask(`GET /stats\n${digest(await challenge(), wrong)}`))]).toEqual([wrong, '401']);
    // What is held back after several is another test's.
    await room.world.clock.advance(120_000);
  }
  const foreign = await room.ask(`GET /stats\n${digest('realm="mx.example", nonce="1.2.3"')}`);
  expect([foreign.status, foreign.headers['www-authenticate']?.includes('stale=true')]).toEqual([401, true]);
  const old = await challenge();
  await room.world.clock.advance(300_001);
  const stale = await room.ask(`GET /stats\n${digest(old)}`);
  expect([stale.status, stale.headers['www-authenticate']?.includes('stale=true')]).toEqual([401, true]);
});

test('a store that cannot be read is 503, and not a wrong password', async () => {
  const room = await open('Enable_Authentication = true', {
    ...stores(),
    check: async () => 'unavailable',
    digest: async () => 'unavailable',
  });
  expect(errorOf(await room.ask(`GET /stats\n${basic('ann:se:cret')}`))).toMatchObject({ status: 503, code: '1502' });
  const { headers } = await room.ask('GET /stats');
  expect(said(await room.ask(`GET /stats\n${digest(headers['www-authenticate'] ?? '')}`))).toBe('503');
});

test('an Authorization field that says one thing twice, or cannot be read, is none', () => {
  expect(readAuthorization('Digest username="a", username="b"').kind).toBe('unknown');
  expect(readAuthorization('Digest username="a').kind).toBe('unknown');
  expect(readAuthorization('Negotiate abc').kind).toBe('unknown');
  expect(readAuthorization('  ').kind).toBe('none');
  expect(readAuthorization('Digest username="a\\"b", qop=auth')).toEqual({
    kind: 'digest',
    fields: new Map([
      ['username', 'a"b'],
      ['qop', 'auth'],
    ]),
  });
  expect(readAuthorization(`Digest ${'a="'.repeat(2700)}`).kind).toBe('unknown');
});
