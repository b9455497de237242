import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigErrors, loadConfiguration } from '../config/index.ts';
import { Datasources, datasourceOptions, datasourceStanzas } from '../datasource/index.ts';
import { events } from '../events/index.ts';
import type { StoreQuestion, StoreRows } from '../world/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { AuthDsScheme, schemePlans } from './auth-ds.ts';
import { authDsErrors, authDsWarnings } from './auth-ds-check.ts';
import { authDsStanzas } from './auth-ds-options.ts';
import { cramClient } from './cram-md5.ts';
import { CredentialStores } from './credential-stores.ts';
import { authOptions, mechanismOptions } from './options.ts';
import { authorizationParameters } from './parameters.ts';
import { ServerExchange, serverMechanism } from './server-exchange.ts';
import { readStoreAddress } from './store-address.ts';

const DB = 'Datasource "db" { uri = ( "pgsql:host=10.0.0.1" ) no_cache = true }';
const RETURNS =
  'cache = "db" returns_password = true map = [ u = "%{username}" ] query = "SELECT p, t FROM x WHERE u = :u"';

async function generation(text: string, world = simWorld()) {
  await world.disk.makeDirectory('/etc');
  world.disk.put('/etc/i.conf', text);
  const { disk, clock } = world;
  const declared = [...authOptions, ...datasourceOptions];
  const modules = [...datasourceStanzas, ...authDsStanzas];
  return (await loadConfiguration({ disk, clock, file: '/etc/i.conf', searchPath: [], declared, modules })).current;
}

async function ground(text: string, answer: (question: StoreQuestion) => StoreRows | undefined) {
  const world = simWorld();
  const store = world.stores.put('10.0.0.1:5432', answer);
  const current = await generation(`${DB} ${text}`, world);
  const told: string[] = [];
  const heard = events(world.clock, () => 1);
  heard.subscribe(['diagnostic'], (event) => void told.push(event.text));
  const datasources = new Datasources({ ...world, events: heard });
  datasources.adjust(current);
  const plans = schemePlans(current);
  const schemes = new Map([...plans].map(([name, plan]) => [name, new AuthDsScheme(plan, datasources, heard)]));
  const stores = new CredentialStores({ ...world, events: heard, schemes: (name) => schemes.get(name) });
  const verdict = (user: string, password: string, uri = 's://') =>
    world.clock.until(stores.verdict(readStoreAddress(uri), user, password, 'mx'));
  return { world, store, told, stores, verdict };
}

const scheme = (authenticate: string, more = '') =>
  `auth_ds { Scheme "s" { Authenticate { ${authenticate} } ${more} } }`;

describe('a query that judges', () => {
  const JUDGES =
    'cache = "db" map = [ u = "%{username}" p = "<%{password}|%{crypt}|%{uri}>" ] query = "SELECT f(:u, :p)"';

  test.each([
    ['1', 'right'],
    ['2.5', 'right'],
    ['-1', 'right'],
    ['Ann Example', 'right'],
    ['true', 'right'],
    ['0', 'wrong'],
    ['', 'wrong'],
    ['0.00', 'wrong'],
    ['-0', 'wrong'],
    [null, 'wrong'],
  ])('%j is %s', async (value, verdict) => {
    const at = await ground(scheme(JUDGES), () => ({ columns: ['f'], rows: [[value]] }));
    expect(await at.verdict('ann', 'x')).toBe(verdict);
  });

  test('no row is wrong; what map fills in is never filled in again', async () => {
    const at = await ground(scheme(JUDGES), () => ({ columns: [], rows: [] }));
    expect(await at.verdict('%{password}', '%{username}', 's://more')).toBe('wrong');
    expect(at.store.asked).toEqual([
      { kind: 'sql', text: 'SELECT f($1, $2)', values: ['%{password}', '<%{username}|clear|s://more>'] },
    ]);
  });

  test('a store that is down makes it unavailable, and a scheme that is not there as well', async () => {
    const at = await ground(scheme(JUDGES), () => undefined);
    at.store.stop();
    expect(await at.verdict('ann', 'x')).toBe('unavailable');
    expect(await at.verdict('ann', 'x', 'none://')).toBe('unavailable');
    expect(await at.world.clock.until(at.stores.rolesOf(readStoreAddress('none://'), 'ann'))).toBeUndefined();
  });
});

test('CRAM-MD5: the store compares, or gives what it makes of the challenge', async () => {
  const judging = scheme(
    'cache = "db" map = [ u = "%{username}" p = "%{password}" n = "%{nonce}" ] query = "SELECT f(:u, :p, :n)"',
  );
  const giving = scheme(
    `${RETURNS.replace('"%{username}" ]', '"%{username}" n = "%{nonce}" ]').replace('u = :u', 'u = :u AND n = :n')} type = "hmac_md5"`,
  );
  const made = (nonce: string) => createHmac('md5', 'secret').update(nonce).digest('hex');
  for (const [text, answer] of [
    [judging, (values: readonly string[]) => (values[1] === made(values[2] ?? '') ? '1' : '0')],
    [giving, (values: readonly string[]) => made(values[1] ?? '')],
  ] as const) {
    const at = await ground(text, (question) => ({
      columns: ['p'],
      rows: question.kind === 'sql' ? [[answer(question.values as readonly string[])]] : [],
    }));
    for (const [password, kind] of [
      ['secret', 'granted'],
      ['Secret', 'denied'],
    ] as const) {
      const machine = serverMechanism('CRAM-MD5', {
        realm: 'r',
        service: 'smtp',
        hostName: 'mx',
        random: Buffer.alloc(18, 7),
      });
      const exchange = new ServerExchange(machine, at.stores, readStoreAddress('s://'), 'r');
      const first = await exchange.begin(undefined);
      const step = cramClient('ann', password).challenge(first.kind === 'challenge' ? first.bytes : Buffer.alloc(0));
      const bytes = step.kind === 'response' ? step.bytes : undefined;
      expect(await at.world.clock.until(exchange.respond(bytes ?? Buffer.alloc(0)))).toMatchObject({ kind });
    }
  }
});

test('a type that type_map does not know, and a password of no known form, are unavailable and not wrong', async () => {
  const at = await ground(
    scheme(`${RETURNS} type_column = "t" type_map = [ C = "clear" U = "ucrypt" ]`),
    (question) => ({
      columns: ['p', 't'],
      rows: question.kind === 'sql' && question.values[0] === 'ann' ? [['secret', 'X']] : [['$2b$10$x', 'U']],
    }),
  );
  expect(await at.verdict('ann', 'secret')).toBe('unavailable');
  expect(await at.verdict('bob', 'secret')).toBe('unavailable');
  expect(at.told).toEqual(['IMP_DATASOURCE scheme s: column t has a type that type_map does not know']);
});

test('two troubles in turn are told once each', async () => {
  const at = await ground(
    scheme(`${RETURNS} password_column = "p" type_column = "t" type_map = [ C = "clear" ]`),
    (question) =>
      question.kind === 'sql' && question.values[0] === 'ann'
        ? { columns: ['p', 't'], rows: [['secret', 'X']] }
        : { columns: ['q', 't'], rows: [['secret', 'C']] },
  );
  for (let times = 0; times < 3; times++) for (const user of ['ann', 'bob']) await at.verdict(user, 'secret');
  expect(at.told).toEqual([
    'IMP_DATASOURCE scheme s: column t has a type that type_map does not know',
    'IMP_DATASOURCE scheme s: the query gives no column p',
  ]);
});

describe('the check', () => {
  async function errors(text: string): Promise<string> {
    try {
      return authDsErrors(await generation(`${DB} ${text}`), mechanismOptions)
        .map(({ checkLine }) => checkLine)
        .join('\n');
    } catch (error) {
      return error instanceof ConfigErrors ? error.checkLines.join('\n') : String(error);
    }
  }
  const listener = (option: string) => `Control_Listener { ${option} = [ uri = "s://" ] }`;

  test.each([
    [scheme('cache = "db"'), 'Scheme "s": it has no query'],
    [scheme('query = "SELECT 1"'), 'Scheme "s": it has no cache'],
    [scheme('cache = "dv" query = "SELECT :u"'), 'there is no Datasource "dv"'],
    [scheme('cache = "db" query = "SELECT :u" map = [ v = "%{password}" ]'), 'its query wants u'],
    [scheme('cache = "db" query = "SELECT 1" map = [ u = "%{usrname}" ]'), 'did you mean %{username}?'],
    [
      scheme('cache = "db" query = "SELECT 1 FROM t WHERE u = :u" map = [ u = "%{username}" ]'),
      'everybody would get in',
    ],
    [scheme(`${RETURNS} type = "md6"`), 'md5'],
    [
      scheme(`${RETURNS} type = "ssha1"`) + listener('AuthScramSha256Parameters'),
      'Scheme "s" cannot serve SCRAM-SHA-256: passwords are stored as ssha1',
    ],
    [scheme(`${RETURNS} type = "ucrypt"`) + listener('AuthDigestMD5Parameters'), 'it needs one of clear, digest-md5'],
    [
      scheme('cache = "db" query = "SELECT :p" map = [ p = "%{password}" ]') + listener('AuthDigestMD5Parameters'),
      'needs returns_password = true',
    ],
    [
      `auth_ds { Scheme "s" { EnumGroups { cache = "db" query = "SELECT 1" } } } ${listener('AuthLoginParameters')}`,
      'it has no Authenticate',
    ],
  ])('%s', async (text, why) => {
    const found = await errors(text);
    expect(found).toContain(why);
    expect(found).toMatch(/^\/etc\/i\.conf:1:\d+: error: /);
  });

  test('what fits is no error', async () => {
    const mixed = scheme(`${RETURNS} type_column = "t" type_map = [ C = "clear" S = "ssha1" ]`);
    for (const option of ['AuthLoginParameters', 'AuthDigestMD5Parameters', 'AuthScramSha256Parameters'])
      expect(await errors(mixed + listener(option))).toBe('');
  });

  test('a scheme that is not there, or knows no groups, is a warning', async () => {
    const current = await generation(
      `${DB} ${scheme(RETURNS)} Control_Listener { AuthLoginParameters = [ uri = "none://" ] AuthorizationParameters = [ uri = "s://" ] }`,
    );
    expect(authDsWarnings(current, mechanismOptions, authorizationParameters).map(({ text }) => text)).toEqual([
      expect.stringContaining('nothing registers the scheme none://'),
      'Scheme "s" has no QueryGroups: nobody has a role by it',
    ]);
  });
});
