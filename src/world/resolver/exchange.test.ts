import packet from 'dns-packet';
import { expect, test } from 'vitest';
import { seconds } from '../../base/index.ts';
import { type SimDnsQuery, SimDnsServer, type SimWorld, type SimZone, simWorld, withCode } from '../sim/index.ts';
import {
  type DatagramHost,
  type Datagrams,
  type DnsAnswer,
  type Network,
  NetworkError,
  type RecordType,
} from '../world.ts';
import { type Resolver, type ResolverSettings, resolver } from './index.ts';

const FIRST = { ip: '192.0.2.53', port: 53 };
const SECOND = { ip: '2001:db8::53', port: 53 };
const zones: Record<string, SimZone> = {
  'example.com': {
    MX: ['20 mx2.example.com', '10 MX1.Example.com'],
    A: ['192.0.2.1'],
    AAAA: ['2001:DB8:0::1'],
    TXT: ['v=spf1 -all'],
  },
  'null.example': { MX: ['0 .'] },
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

test('a server that does not answer is tried again, then the next one, and is asked last for a while', async () => {
  const { world, names, server, ask } = house({ servers: [FIRST, SECOND] });
  const second = new SimDnsServer(world.network, SECOND, zones);
  world.network.silence('192.0.2.53:53');
  expect(await ask('example.com')).toMatchObject({ kind: 'found' });
  expect(world.clock.now()).toBeGreaterThan(1000);
  const before = world.clock.now();
  expect(await ask('example.com', 'MX')).toMatchObject({ kind: 'found' });
  expect(world.clock.now() - before).toBeLessThan(10);
  expect([server.queries.length, second.queries.length]).toEqual([0, 2]);
  expect(names.statistics).toMatchObject({ timeouts: { A: 1, MX: 0 }, responses: 2, peakMillis: 2 });
  world.network.heal('192.0.2.53:53');
  await world.clock.advance(11_000);
  await ask('example.com', 'TXT');
  expect(server.queries).toHaveLength(1);
});

test('a server that cannot be sent to does not end what others were asked', async () => {
  const dead = { ip: '203.0.113.53', port: 53 };
  const world = simWorld();
  const server = new SimDnsServer(world.network, FIRST, zones);
  server.twist = (answer, query) => (query.name.toLowerCase() === 'slow.example' ? [] : [answer]);
  const datagrams = (version: 4 | 6, host: DatagramHost): Datagrams => {
    const socket = world.network.datagrams(version, host);
    const send = (bytes: Uint8Array, to: typeof dead): void => {
      if (to.ip !== dead.ip) socket.send(bytes, to);
      else world.clock.defer(() => host.failed(new NetworkError('ENETUNREACH', 'no route'), to));
    };
    return { ...socket, send };
  };
  const network: Network = {
    listen: (...all) => world.network.listen(...all),
    connect: (...all) => world.network.connect(...all),
    datagrams,
  };
  const names = resolver(
    { ...world, network },
    {
      servers: [FIRST, dead],
      timeoutMillis: 1000,
      attempts: 1,
      tcpFallback: true,
      maxCacheEntries: 0,
      minTtl: seconds(0),
      maxTtl: seconds(0),
    },
  );
  const slow = names.lookup('slow.example', 'A');
  await world.clock.advance(999);
  for (let index = 0; index < 100; index++) server.set(`n${index}.example`, { A: ['192.0.2.1'] });
  const others = Array.from({ length: 100 }, (_, index) => names.lookup(`n${index}.example`, 'A'));
  const kinds = (await world.clock.until(Promise.all(others))).map((answer) => answer.kind);
  expect(kinds.filter((kind) => kind !== 'found')).toEqual([]);
  expect(await world.clock.until(slow)).toEqual({ kind: 'failed', why: 'timeout' });
});

test('when no server answers, it is a timeout after all attempts, and nobody is asked without end', async () => {
  const { world, ask, names } = house({ attempts: 3 });
  world.network.silence('192.0.2.53:53');
  expect(await ask('example.com')).toEqual({ kind: 'failed', why: 'timeout' });
  expect(world.clock.now()).toBe(3000);
  expect(names.statistics.timeouts.A).toBe(3);
  expect(world.clock.pending).toBe(0);
  expect(await house({ servers: [] }).ask('example.com')).toEqual({ kind: 'failed', why: 'unreachable' });
});

test('lost datagrams are asked for again', async () => {
  const { world, ask } = house({ attempts: 5 }, 7);
  world.network.settings.datagramLoss = 0.3;
  for (const [name, type] of [
    ['example.com', 'A'],
    ['example.com', 'MX'],
    ['null.example', 'MX'],
  ] as const) {
    expect((await ask(name, type)).kind).toBe('found');
  }
});

test('an answer too long for UDP is fetched by TCP, or taken as far as it fitted', async () => {
  const many: Record<string, SimZone> = {
    'many.example': { A: Array.from({ length: 200 }, (_, index) => `192.0.2.${index}`) },
  };
  const { ask, server } = house();
  server.set('many.example', many['many.example'] ?? {});
  const answer = await ask('many.example');
  expect(answer.kind === 'found' && answer.records.length).toBe(200);
  expect(server.queries.map((query) => query.by)).toEqual(['udp', 'tcp']);
  const without = house({ tcpFallback: false });
  without.server.set('many.example', many['many.example'] ?? {});
  without.server.twist = (whole, query) => [
    query.type === 'A'
      ? { ...whole, answers: (whole.answers ?? []).slice(0, 3), flags: (whole.flags ?? 0) | packet.TRUNCATED_RESPONSE }
      : whole,
  ];
  const part = await without.ask('many.example');
  expect(part.kind === 'found' && part.records.length).toBe(3);
});

test('TCP that is refused, falls silent or talks nonsense is a failure of that server', async () => {
  const { ask, server, world } = house({ attempts: 1 });
  server.udpLimit = 12;
  const refuses = house({ attempts: 1 });
  refuses.server.udpLimit = 12;
  await refuses.server[Symbol.asyncDispose]();
  const udpOnly = refuses.world.network.bind(FIRST, {
    failed: () => undefined,
    received: (bytes, from) => {
      const asked = packet.decode(Buffer.from(bytes));
      udpOnly.send(
        packet.encode({ ...asked, type: 'response', additionals: [], flags: packet.TRUNCATED_RESPONSE }),
        from,
      );
    },
  });
  expect(await refuses.ask('example.com')).toEqual({ kind: 'failed', why: 'unreachable' });
  server.twist = (answer, query) => (query.by === 'udp' ? [answer] : [Buffer.from('not the language of the DNS')]);
  expect(await ask('example.com')).toEqual({ kind: 'failed', why: 'malformed' });
  server.twist = (answer, query) => (query.by === 'udp' ? [answer] : []);
  expect(await ask('null.example')).toEqual({ kind: 'failed', why: 'unreachable' });
  server.twist = (answer) => [answer];
  world.network.settings.oddChunks = true;
  expect(await ask('example.com', 'MX')).toMatchObject({ kind: 'found' });
});

test('a record cut in the middle of a truncated answer does not matter', async () => {
  const { ask, server } = house();
  server.twist = (answer, query) => {
    const whole = packet.encode({ ...answer, flags: (answer.flags ?? 0) | packet.TRUNCATED_RESPONSE });
    return query.by === 'udp' ? [whole.subarray(0, whole.length - 5)] : [answer];
  };
  expect(await ask('example.com', 'MX')).toMatchObject({ kind: 'found' });
  expect(server.queries.map((query) => query.by)).toEqual(['udp', 'tcp']);
});

test('a server that does not repeat the case of letters is asked again without mixing, and without EDNS when it wants', async () => {
  const { ask, server } = house();
  server.twist = (answer, query) => [
    query.edns
      ? withCode({ ...answer, questions: [], answers: [] }, 1)
      : { ...answer, questions: [{ name: query.name.toLowerCase(), type: 'MX' as const }] },
  ];
  expect(await ask('example.com', 'MX')).toMatchObject({ kind: 'found' });
  expect(server.queries.map((query) => query.edns)).toEqual([true, false, false]);
  server.queries.length = 0;
  expect(await ask('null.example', 'MX')).toMatchObject({ kind: 'found' });
  expect(server.queries.map((query) => [query.name, query.edns])).toEqual([['null.example', false]]);
});

test('the names that go out are mixed in case, with ids and ports that change', async () => {
  const { ask, server } = house();
  for (let index = 0; index < 40; index++) server.set(`host${index}.example`, {});
  for (let index = 0; index < 40; index++) await ask(`host${index}.example`);
  expect(new Set(server.queries.map((query) => query.from.port)).size).toBeGreaterThan(4);
  expect(server.queries.filter((query) => query.name !== query.name.toLowerCase()).length).toBeGreaterThan(35);
});

test('forged answers are ignored and counted, and the true one is taken', async () => {
  const lie = (answer: packet.Packet): packet.Packet => ({
    ...answer,
    answers: [{ type: 'A', name: 'example.com', ttl: 9999, class: 'IN', data: '203.0.113.66' }],
  });
  const forgeries: Record<string, (server: SimDnsServer, answer: packet.Packet, query: SimDnsQuery) => void> = {
    'wrong id': (server, answer, query) =>
      server.forge(FIRST, query.from, { ...lie(answer), id: ((answer.id ?? 0) + 1) & 0xffff }),
    'wrong address': (server, answer, query) => server.forge({ ip: '203.0.113.5', port: 53 }, query.from, lie(answer)),
    'wrong port': (server, answer, query) => server.forge({ ip: FIRST.ip, port: 5353 }, query.from, lie(answer)),
    'wrong name': (server, answer, query) =>
      server.forge(FIRST, query.from, { ...lie(answer), questions: [{ name: 'example.org', type: 'A' }] }),
    'wrong type': (server, answer, query) =>
      server.forge(FIRST, query.from, { ...lie(answer), questions: [{ name: query.name, type: 'AAAA' }] }),
    'no question': (server, answer, query) => server.forge(FIRST, query.from, { ...lie(answer), questions: [] }),
    'a query': (server, answer, query) => server.forge(FIRST, query.from, { ...lie(answer), type: 'query' }),
  };
  for (const [name, forge] of Object.entries(forgeries)) {
    const { ask, server, names } = house();
    server.twist = (answer, query) => {
      forge(server, answer, query);
      return [answer];
    };
    expect(await ask('example.com'), name).toMatchObject({ records: [{ address: '192.0.2.1' }] });
    expect(names.statistics.bad, name).toBe(1);
  }
});

test('bytes that are no answer end in a timeout, not in a crash', async () => {
  const { ask, server, world } = house({ attempts: 1 });
  for (let round = 0; round < 30; round++) {
    server.twist = (answer) => {
      const whole = packet.encode(answer);
      for (let flips = 0; flips < 20; flips++)
        whole[2 + world.chance.below(whole.length - 2)] = world.chance.below(256);
      return [whole, whole.subarray(0, world.chance.below(whole.length)), new Uint8Array(0), Buffer.of(1)];
    };
    expect(['timeout', 'refused', 'server failure', 'malformed', 'unreachable', undefined]).toContain(
      await ask(`m${round}.example`).then((answer) => (answer.kind === 'failed' ? answer.why : undefined)),
    );
  }
});

test('a server that only points elsewhere is passed over', async () => {
  const { ask, server, world } = house({ servers: [FIRST, SECOND], attempts: 1 });
  server.twist = (answer) => [
    {
      ...answer,
      flags: 0,
      answers: [],
      authorities: [{ type: 'NS', name: 'com', ttl: 9, class: 'IN', data: 'a.gtld.example' }],
    },
  ];
  const second = new SimDnsServer(world.network, SECOND, zones);
  expect(await ask('example.com')).toMatchObject({ kind: 'found' });
  expect(second.queries).toHaveLength(1);
  await second[Symbol.asyncDispose]();
  expect(await ask('example.com', 'MX')).toEqual({ kind: 'failed', why: 'server failure' });
});
