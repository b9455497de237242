import packet from 'dns-packet';
import { expect, test } from 'vitest';
import { seconds } from '../../base/index.ts';
import { SimDnsServer, type SimWorld, type SimZone, simWorld } from '../sim/index.ts';
import type { DnsAnswer, RecordType } from '../world.ts';
import { hostsFile, type Resolver, type ResolverSettings, resolver } from './index.ts';

const FIRST = { ip: '192.0.2.53', port: 53 };
const zones: Record<string, SimZone> = {
  'example.com': {
    MX: ['20 mx2.example.com', '10 MX1.Example.com'],
    A: ['192.0.2.1'],
    AAAA: ['2001:DB8:0::1'],
    TXT: ['v=spf1 -all'],
  },
  'null.example': { MX: ['0 .'] },
  'alias.example': { CNAME: 'other.example' },
  'other.example': { CNAME: 'example.com' },
  'dangling.example': { CNAME: 'nowhere.example' },
  'broken.example': { fails: 'server failure' },
  'refused.example': { fails: 'refused' },
  'xn--bcher-kva.example': { A: ['192.0.2.7'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['Host.Example.com'] },
};

interface House {
  world: SimWorld;
  server: SimDnsServer;
  names: Resolver;
  ask(name: string, type?: RecordType): Promise<DnsAnswer>;
}
function house(settings: Partial<ResolverSettings> = {}, seed = 1): House {
  const world = simWorld(seed);
  const server = new SimDnsServer(world.network, FIRST, zones);
  const names = resolver(world, {
    servers: [FIRST],
    timeoutMillis: 1000,
    attempts: 2,
    tcpFallback: true,
    maxCacheEntries: 100,
    minTtl: seconds(0),
    maxTtl: seconds(86_400),
    ...settings,
  });
  return { world, server, names, ask: (name, type = 'A') => world.clock.until(names.lookup(name, type)) };
}

test('records of every kind come in our form', async () => {
  const { ask } = house();
  expect(await ask('Example.COM.', 'MX')).toEqual({
    kind: 'found',
    ttl: 300,
    authentic: false,
    records: [
      { type: 'MX', preference: 20, host: 'mx2.example.com' },
      { type: 'MX', preference: 10, host: 'mx1.example.com' },
    ],
  });
  expect(await ask('example.com', 'A')).toMatchObject({ records: [{ type: 'A', address: '192.0.2.1' }] });
  expect(await ask('example.com', 'AAAA')).toMatchObject({ records: [{ type: 'AAAA', address: '2001:db8::1' }] });
  expect(await ask('example.com', 'TXT')).toMatchObject({
    records: [{ type: 'TXT', strings: [new Uint8Array(Buffer.from('v=spf1 -all'))] }],
  });
  expect(await ask('1.2.0.192.in-addr.arpa', 'PTR')).toMatchObject({
    records: [{ type: 'PTR', name: 'host.example.com' }],
  });
  expect(await ask('null.example', 'MX')).toMatchObject({ records: [{ type: 'MX', preference: 0, host: '' }] });
  expect(await ask('alias.example', 'CNAME')).toMatchObject({ records: [{ type: 'CNAME', name: 'other.example' }] });
  expect(await ask('bücher.example')).toMatchObject({ records: [{ address: '192.0.2.7' }] });
});

test('what is not there is told apart from what has no such records, and remembered as long as the zone says', async () => {
  const { ask, server, world } = house();
  expect(await ask('nowhere.example', 'MX')).toEqual({ kind: 'no name', ttl: 60 });
  expect(await ask('null.example', 'A')).toEqual({ kind: 'no data', ttl: 60 });
  expect(await ask('dangling.example', 'A')).toEqual({ kind: 'no name', ttl: 60 });
  expect(server.queries).toHaveLength(3);
  await world.clock.advance(30_000);
  expect(await ask('nowhere.example', 'MX')).toEqual({ kind: 'no name', ttl: 30 });
  expect(server.queries).toHaveLength(3);
  await world.clock.advance(31_000);
  await ask('nowhere.example', 'MX');
  expect(server.queries).toHaveLength(4);
});

test('an answer without an SOA record holds for this once', async () => {
  const { ask, server } = house();
  server.twist = (answer) => [{ ...answer, authorities: [] }];
  expect(await ask('null.example', 'A')).toEqual({ kind: 'no data', ttl: 0 });
  expect(await ask('nowhere.example', 'A')).toEqual({ kind: 'no name', ttl: 0 });
  await ask('null.example', 'A');
  expect(server.queries).toHaveLength(3);
});

test('aliases are followed, in one answer or in several, with the least TTL of the chain', async () => {
  const { ask, server, names } = house();
  server.twist = (answer) => [
    { ...answer, answers: (answer.answers ?? []).map((each, index) => ({ ...each, ttl: 100 + index })) as never },
  ];
  expect(await ask('alias.example', 'A')).toEqual({
    kind: 'found',
    ttl: 100,
    authentic: false,
    records: [{ type: 'A', address: '192.0.2.1' }],
  });
  expect(server.queries).toHaveLength(1);
  names.flush();
  server.follows = false;
  server.twist = (answer) => [answer];
  expect(await ask('alias.example', 'A')).toMatchObject({ kind: 'found', ttl: 300 });
  expect(server.queries.slice(1).map((query) => query.name.toLowerCase())).toEqual([
    'alias.example',
    'other.example',
    'example.com',
  ]);
  expect(await ask('dangling.example', 'MX')).toMatchObject({ kind: 'no name' });
});

test('an alias of what is no name that can be asked for has no such name, and no server is blamed for it', async () => {
  const { ask, server, world } = house();
  server.follows = false;
  for (const [index, target] of ['.', 'back\\slash.example'].entries()) {
    server.set(`odd${index}.example`, { CNAME: target });
    expect(await ask(`odd${index}.example`, 'A'), target).toEqual({ kind: 'no name', ttl: 300 });
  }
  expect(server.queries).toHaveLength(2);
  expect(world.clock.now()).toBeLessThan(100);
});

test('aliases in a circle, and chains without end, fail', async () => {
  const { ask, server } = house();
  for (let index = 0; index < 15; index++) server.set(`c${index}.example`, { CNAME: `c${index + 1}.example` });
  server.set('c15.example', { A: ['192.0.2.15'] });
  server.set('a.example', { CNAME: 'b.example' });
  server.set('b.example', { CNAME: 'a.example' });
  for (const follows of [true, false]) {
    server.follows = follows;
    expect(await ask(follows ? 'c0.example' : 'c1.example')).toEqual({ kind: 'failed', why: 'server failure' });
    expect(await ask('a.example', follows ? 'A' : 'MX')).toEqual({ kind: 'failed', why: 'server failure' });
    expect(await ask(follows ? 'c8.example' : 'c9.example')).toMatchObject({ kind: 'found' });
  }
});

test('the cache answers while the TTL lasts, within the limits of the settings, and can be flushed', async () => {
  const { ask, server, names, world } = house({ minTtl: seconds(10), maxTtl: seconds(100) });
  expect(await ask('example.com')).toMatchObject({ ttl: 100 });
  await world.clock.advance(40_000);
  expect(await ask('EXAMPLE.com')).toMatchObject({ ttl: 60, records: [{ address: '192.0.2.1' }] });
  expect(names.lookupCached('example.com', 'A')).toMatchObject({ ttl: 60 });
  expect(names.lookupCached('example.com', 'MX')).toBeUndefined();
  expect([...names.cached()]).toMatchObject([{ name: 'example.com', type: 'A', answer: { ttl: 60 } }]);
  server.ttl = 0;
  await ask('example.com', 'MX');
  expect(names.lookupCached('example.com', 'MX')).toMatchObject({ ttl: 10 });
  expect(names.flush('other.com')).toBe(0);
  expect(names.flush('Example.com')).toBe(2);
  expect(names.lookupCached('example.com', 'A')).toBeUndefined();
  await ask('example.com');
  await world.clock.advance(10_000);
  expect(names.lookupCached('example.com', 'A')).toBeUndefined();
  await ask('null.example', 'MX');
  await world.clock.advance(1000_000);
  expect(names.purge()).toBe(1);
  expect(names.statistics).toMatchObject({ lookups: 5, hits: 1, cached: 0, pending: 0, queries: { A: 2, MX: 2 } });
});

test('an answer with TTL 0 is not kept, but shared by all who wait for it', async () => {
  const { server, names, world, ask } = house();
  server.ttl = 0;
  const both = await world.clock.until(
    Promise.all([
      names.lookup('example.com', 'A'),
      names.lookup('example.COM', 'A'),
      names.lookup('example.com', 'AAAA'),
    ]),
  );
  expect(both.map((each) => each.kind)).toEqual(['found', 'found', 'found']);
  expect(server.queries).toHaveLength(2);
  await ask('example.com');
  expect(server.queries).toHaveLength(3);
});

test('the least recently used answer makes room', async () => {
  const { names, ask } = house({ maxCacheEntries: 2 });
  for (const name of ['example.com', 'null.example', 'alias.example']) await ask(name, 'MX');
  expect([...names.cached()].map((each) => each.name)).toEqual(['null.example', 'alias.example']);
});

test('failures are told apart and remembered for five seconds only', async () => {
  const { ask, server, world } = house();
  expect(await ask('broken.example')).toEqual({ kind: 'failed', why: 'server failure' });
  expect(await ask('refused.example')).toEqual({ kind: 'failed', why: 'refused' });
  const asked = server.queries.length;
  await ask('broken.example');
  expect(server.queries).toHaveLength(asked);
  await world.clock.advance(5000);
  server.set('broken.example', { A: ['192.0.2.9'] });
  expect(await ask('broken.example')).toMatchObject({ kind: 'found' });
});

test('an answer the server vouches for says so, when the whole chain does', async () => {
  const { ask, server } = house();
  server.twist = (answer) => [{ ...answer, flags: (answer.flags ?? 0) | packet.AUTHENTIC_DATA }];
  expect(await ask('example.com')).toMatchObject({ authentic: true });
  server.follows = false;
  server.twist = (answer, query) => [
    {
      ...answer,
      flags: (answer.flags ?? 0) | (query.name.toLowerCase() === 'example.com' ? 0 : packet.AUTHENTIC_DATA),
    },
  ];
  expect(await ask('alias.example', 'MX')).toMatchObject({ kind: 'found', authentic: false });
});

test('addresses, localhost, the hosts file and names that nobody has need no server', async () => {
  const { ask, server } = house({ hosts: hostsFile('192.0.2.80 intern.example intern\n::1 six # comment\n') });
  const address = async (name: string, type: RecordType): Promise<string> => {
    const answer = await ask(name, type);
    return answer.kind === 'found'
      ? answer.records.map((each) => ('address' in each ? each.address : '?')).join()
      : answer.kind;
  };
  expect(await address('192.0.2.1', 'A')).toBe('192.0.2.1');
  expect(await address('192.0.2.1', 'AAAA')).toBe('no data');
  expect(await address('192.0.2.1', 'MX')).toBe('no data');
  expect(await address('2001:DB8::1', 'AAAA')).toBe('2001:db8::1');
  expect(await address('[IPv6:2001:db8::1]', 'AAAA')).toBe('2001:db8::1');
  expect(await address('localhost', 'A')).toBe('127.0.0.1');
  expect(await address('a.localhost.', 'AAAA')).toBe('::1');
  expect(await address('localhost', 'MX')).toBe('no data');
  expect(await address('Intern', 'A')).toBe('192.0.2.80');
  expect(await address('intern.example', 'AAAA')).toBe('no data');
  expect(await address('six', 'AAAA')).toBe('::1');
  for (const none of [
    'a..b',
    '',
    '.',
    'x'.repeat(64),
    `${'a.'.repeat(130)}b`,
    'a b',
    'ü/b',
    'host.invalid',
    'hidden.onion',
    '1.2.3.4.5.ü?',
  ]) {
    expect(await address(none, 'A'), none).toBe('no name');
  }
  expect(server.queries).toEqual([]);
});

test('questions beyond the limit wait their turn, and beyond that are turned away', async () => {
  const { world, names, server } = house({ maxInFlight: 2, maxQueued: 3 });
  for (let index = 0; index < 7; index++) server.set(`q${index}.example`, { A: ['192.0.2.1'] });
  const all = Promise.all(Array.from({ length: 7 }, (_, index) => names.lookup(`q${index}.example`, 'A')));
  expect(names.statistics.pending).toBe(7);
  await world.clock.settle();
  expect(names.statistics.queries.A).toBe(2);
  const kinds = (await world.clock.until(all)).map((answer) => answer.kind);
  expect(kinds).toEqual(['found', 'found', 'found', 'found', 'found', 'failed', 'failed']);
  expect(names.statistics.pending).toBe(0);
});

test('closing ends what is under way and what waits', async () => {
  const { world, names } = house({ maxInFlight: 1 });
  world.network.silence('192.0.2.53:53');
  const both = Promise.all([names.lookup('example.com', 'A'), names.lookup('null.example', 'MX')]);
  await world.clock.settle();
  names.close();
  await world.clock.settle();
  expect(await both).toEqual([
    { kind: 'failed', why: 'unreachable' },
    { kind: 'failed', why: 'unreachable' },
  ]);
  expect(world.clock.pending).toBe(0);
  expect(await names.lookup('example.com', 'MX')).toEqual({ kind: 'failed', why: 'unreachable' });
});

test('two thousand names over a bad network all get some answer, and the books balance', async () => {
  const { world, names, server } = house({ timeoutMillis: 200 }, 3);
  Object.assign(world.network.settings, { datagramLoss: 0.05, latencyMillis: [1, 40] });
  for (let index = 0; index < 2000; index++)
    server.set(`n${index}.example`, index % 3 === 0 ? { A: ['192.0.2.1'] } : {});
  const answers = await world.clock.until(
    Promise.all(Array.from({ length: 2000 }, (_, index) => names.lookup(`n${index}.example`, 'A'))),
  );
  const found = answers.filter((answer) => answer.kind === 'found').length;
  const failed = answers.filter((answer) => answer.kind === 'failed').length;
  expect(found).toBeGreaterThan(600);
  expect(failed).toBeLessThan(60);
  const { queries, timeouts, responses } = names.statistics;
  expect(queries.A).toBe(timeouts.A + responses);
  expect(world.clock.pending).toBe(0);
});
