import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { events } from '../events/index.ts';
import { type SimReply, type SimWorld, simWorld } from '../world/sim/index.ts';
import type { TokenVerdict } from './bearer.ts';
import type { TokenParameters } from './token-parameters.ts';
import { Tokens } from './tokens.ts';

const URI = 'https://login.test/introspect';
const PARAMETERS: TokenParameters = {
  uri: URI,
  clientId: undefined,
  clientSecret: undefined,
  userClaims: ['username'],
  scopes: [],
  audience: undefined,
  timeoutMillis: millis(5000),
  cacheMillis: millis(60_000),
  authorities: undefined,
  verify: true,
  insecure: false,
  logAuthentication: false,
};
const ANN: TokenVerdict = { kind: 'right', user: 'ann' };
const WRONG: TokenVerdict = { kind: 'wrong', why: 'invalid_token', scopes: [] };
const UNAVAILABLE: TokenVerdict = { kind: 'unavailable' };

const body = (claims: object): string => JSON.stringify(claims);

class Ground {
  readonly world: SimWorld = simWorld(3);
  readonly told: string[] = [];
  readonly tokens: Tokens;
  answer: SimReply = { status: 200, body: body({ active: true, username: 'ann' }) };

  constructor() {
    const heard = events(this.world.clock, () => 1);
    heard.subscribe(['diagnostic'], ({ level, text }) => void this.told.push(`${level} ${text}`));
    this.tokens = new Tokens({ ...this.world, events: heard });
    this.world.web.serve(URI, () => this.answer);
  }

  check(token = 't', parameters: Partial<TokenParameters> = {}): Promise<TokenVerdict> {
    return this.world.clock.until(this.tokens.check({ ...PARAMETERS, ...parameters }, token));
  }

  get asked(): number {
    return this.world.web.sent.length;
  }
}

test('what is right is remembered for as long as the parameters say', async () => {
  const ground = new Ground();
  expect(await ground.check()).toEqual(ANN);
  await ground.world.clock.advance(59_999);
  ground.answer = { status: 200, body: body({ active: false }) };
  expect([await ground.check(), ground.asked]).toEqual([ANN, 1]);
  await ground.world.clock.advance(1);
  expect([await ground.check(), ground.asked]).toEqual([WRONG, 2]);
});

test('but not beyond the end of the token', async () => {
  const ground = new Ground();
  const exp = Math.floor(ground.world.clock.date() / 1000) + 10;
  ground.answer = { status: 200, body: body({ active: true, username: 'ann', exp }) };
  expect(await ground.check()).toEqual(ANN);
  await ground.world.clock.advance(exp * 1000 - ground.world.clock.date());
  expect([await ground.check(), ground.asked]).toEqual([WRONG, 2]);
});

test('what is wrong is remembered for three seconds, and what cannot be told not at all', async () => {
  const ground = new Ground();
  ground.answer = { status: 200, body: body({ active: false }) };
  expect(await ground.check()).toEqual(WRONG);
  await ground.world.clock.advance(2999);
  expect([await ground.check(), ground.asked]).toEqual([WRONG, 1]);
  await ground.world.clock.advance(1);
  ground.answer = { why: 'ECONNREFUSED' };
  expect([await ground.check(), await ground.check(), ground.asked]).toEqual([UNAVAILABLE, UNAVAILABLE, 3]);
});

test('cache = 0 asks each time, and who asks at the same time shares one question', async () => {
  const ground = new Ground();
  ground.answer = { status: 200, body: body({ active: true, username: 'ann' }), afterMillis: 100 };
  const none = { ...PARAMETERS, cacheMillis: millis(0) };
  const three = [1, 2, 3].map(() => ground.tokens.check(none, 't'));
  expect(await ground.world.clock.until(Promise.all(three))).toEqual([ANN, ANN, ANN]);
  expect(ground.asked).toBe(1);
  await ground.check('t', none);
  expect(ground.asked).toBe(2);
});

test('what one listener was told does not hold for one that demands more', async () => {
  const ground = new Ground();
  expect(await ground.check()).toEqual(ANN);
  expect(await ground.check('t', { scopes: ['mail'] })).toMatchObject({ why: 'insufficient_scope', scopes: ['mail'] });
  expect(await ground.check('t', { audience: 'mx' })).toEqual(WRONG);
  expect(await ground.check('u')).toEqual(ANN);
  expect(ground.asked).toBe(4);
});

test.each<[string, SimReply, string]>([
  ['down', { why: 'ECONNREFUSED' }, 'ECONNREFUSED'],
  ['silent', 'silence', 'no answer within 5 s'],
  ['slow', { status: 200, body: body({ active: true, username: 'ann' }), afterMillis: 5000 }, 'no answer within 5 s'],
  ['broken', { status: 503, body: body({ active: true, username: 'ann' }) }, 'status 503'],
  ['elsewhere', { status: 302 }, 'status 302'],
  ['closed to us', { status: 401, body: body({ error: 'invalid_client' }) }, 'status 401'],
  ['something else', { status: 200, body: '<html>' }, 'no JSON object'],
  ['endless', { status: 200, body: 'x'.repeat(65_537) }, 'more than 65536 bytes'],
])('an endpoint that is %s says nothing of a token; the paniclog has one line a minute', async (_, answer, why) => {
  const ground = new Ground();
  ground.answer = answer;
  expect([await ground.check(), await ground.check('u')]).toEqual([UNAVAILABLE, UNAVAILABLE]);
  const line = `ERROR IMP_INTROSPECTION ${URI}: it cannot be asked about access tokens: ${why}`;
  expect(ground.told).toEqual([line]);
  await ground.world.clock.advance(60_000);
  await ground.check();
  expect(ground.told).toEqual([line, line]);
  ground.answer = { status: 200, body: body({ active: true, username: 'ann' }) };
  expect(await ground.check()).toEqual(ANN);
});

test('at most 500 questions to an endpoint are under way; more logins are turned away, others and later ones served', async () => {
  const ground = new Ground();
  ground.answer = 'silence';
  const all = Array.from({ length: 501 }, (_, at) => ground.tokens.check(PARAMETERS, `t${at}`));
  expect(await all.at(-1)).toEqual(UNAVAILABLE);
  expect(ground.asked).toBe(500);
  const other = 'https://other.test/';
  ground.world.web.serve(other, () => ({ status: 200, body: body({ active: true, username: 'bob' }) }));
  expect(await ground.tokens.check({ ...PARAMETERS, uri: other }, 't')).toEqual({ kind: 'right', user: 'bob' });
  await ground.world.clock.until(Promise.all(all));
  ground.answer = { status: 200, body: body({ active: true, username: 'ann' }) };
  expect(await ground.check()).toEqual(ANN);
});

test('the secret and the authorities come from files, which are read again when they change', async () => {
  const ground = new Ground();
  const { world } = ground;
  const files = { clientId: 'mx', clientSecret: { file: '/secret' }, authorities: '/ca.pem' };
  expect(await ground.check('a', files)).toEqual(UNAVAILABLE);
  expect([ground.told.length, ground.asked]).toEqual([2, 0]);
  expect(ground.told.join('\n')).toContain('IMP_CREDENTIALS /secret: there is no such file');
  world.disk.put('/secret', 'one\nmore\n');
  world.disk.put('/ca.pem', 'PEM');
  expect(await ground.check('a', files)).toEqual(ANN);
  await world.clock.advance(5000);
  world.disk.put('/secret', 'two');
  expect(await ground.check('b', files)).toEqual(ANN);
  expect(world.web.sent.map(({ headers, authorities }) => `${headers.authorization} ${String(authorities)}`)).toEqual(
    ['one', 'two'].map((secret) => `Basic ${Buffer.from(`mx:${secret}`).toString('base64')} PEM`),
  );
  world.disk.put('/secret', '\nhush');
  expect(await ground.check('c', files)).toEqual(UNAVAILABLE);
  expect(ground.told.join('\n')).not.toContain('hush');
});

test('without verify anybody is believed, and a token that says too little is told without being shown', async () => {
  const ground = new Ground();
  ground.answer = { status: 200, body: body({ active: true }) };
  expect(await ground.check('hush', { verify: false })).toEqual(WRONG);
  expect(ground.world.web.sent[0]?.authorities).toBe('unverified');
  expect(ground.told).toEqual([`WARNING IMP_INTROSPECTION ${URI}: a token was refused: it names no user by username`]);
});
