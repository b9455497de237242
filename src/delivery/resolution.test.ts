import { expect, test } from 'vitest';
import { CidrTable, parseCidr, parseDomain } from '../base/index.ts';
import { replyText } from '../smtp/index.ts';
import type { DnsAnswer, DnsRecord, Names } from '../world/index.ts';
import { type ResolutionRules, resolve } from './resolution.ts';
import { readRouteEntry } from './route-entry.ts';

type Zone = Readonly<Record<string, DnsAnswer>>;

const found = (records: readonly DnsRecord[], ttl = 300): DnsAnswer => ({
  kind: 'found',
  records,
  ttl: ttl as never,
  authentic: false,
});
const mx = (...hosts: readonly (readonly [number, string])[]): DnsAnswer =>
  found(hosts.map(([preference, host]) => ({ type: 'MX', preference, host })));
const a = (...addresses: readonly string[]): DnsAnswer => found(addresses.map((address) => ({ type: 'A', address })));
const aaaa = (...addresses: readonly string[]): DnsAnswer =>
  found(addresses.map((address) => ({ type: 'AAAA', address })));
const noData: DnsAnswer = { kind: 'no data', ttl: 60 as never };
const noName: DnsAnswer = { kind: 'no name', ttl: 60 as never };
const failed: DnsAnswer = { kind: 'failed', why: 'server failure' };

const blocks = (...written: readonly string[]): CidrTable<string> => {
  const table = new CidrTable<string>();
  for (const block of written) {
    const cidr = parseCidr(block);
    if (cidr !== undefined) table.add(cidr, block);
  }
  return table;
};

/** In short: `preference host ip` for each address and the TTL, or the reply, or `failed`. */
async function route(zone: Zone, rules: Partial<ResolutionRules> = {}, to = 'dst.test'): Promise<string[]> {
  const domain = parseDomain(to);
  if (domain === undefined) throw new Error(`no domain: ${to}`);
  const names: Names = { lookup: async (name, type) => zone[`${name} ${type}`] ?? noName };
  const said = await resolve(names, domain, {
    entries: undefined,
    useIpv6: false,
    prohibited: undefined,
    skipped: undefined,
    addressesInstead: false,
    ownName: 'me.test',
    ...rules,
  });
  switch (said.kind) {
    case 'failed':
      return ['failed'];
    case 'none':
      return [replyText(said.reply)];
    case 'addresses':
      return [
        ...said.addresses.map(
          ({ preference, host, ip, port }) => `${preference} ${host} ${ip}${port === undefined ? '' : `:${port}`}`,
        ),
        `ttl ${said.ttlSeconds}`,
      ];
  }
}

const entries = (...written: readonly string[]) =>
  written.map((text) => {
    const entry = readRouteEntry(text);
    if (entry === undefined) throw new Error(`no item: ${text}`);
    return entry;
  });

test('MX records: the addresses of each host, best preference first, as long as the shortest TTL', async () => {
  const zone = {
    'dst.test MX': mx([20, 'two.test'], [10, 'one.test']),
    'one.test A': a('192.0.2.1', '192.0.2.2'),
    'two.test A': found([{ type: 'A', address: '192.0.2.3' }], 100),
    'two.test AAAA': aaaa('2001:db8::1'),
  };
  expect(await route(zone)).toEqual([
    '10 one.test 192.0.2.1',
    '10 one.test 192.0.2.2',
    '20 two.test 192.0.2.3',
    'ttl 100',
  ]);
});

test('use_ipv6 asks for IPv6 addresses as well', async () => {
  const zone = { 'dst.test MX': mx([10, 'one.test']), 'one.test A': noData, 'one.test AAAA': aaaa('2001:db8::1') };
  expect(await route(zone, { useIpv6: true })).toEqual(['10 one.test 2001:db8::1', 'ttl 300']);
  expect(await route(zone)).toEqual(['550 5.4.4 [internal] no MX or A for domain']);
});

test('no MX record: the domain is its own exchanger', async () => {
  expect(await route({ 'dst.test MX': noData, 'dst.test A': a('192.0.2.1') })).toEqual([
    '0 dst.test 192.0.2.1',
    'ttl 300',
  ]);
});

test('a null MX ends it at once; beside other records it is nothing', async () => {
  expect(await route({ 'dst.test MX': mx([0, '']) })).toEqual([
    '550 5.4.4 [internal] NULL MX domain does not accept mail',
  ]);
  expect(await route({ 'dst.test MX': mx([0, ''], [10, 'one.test']), 'one.test A': a('192.0.2.1') })).toEqual([
    '10 one.test 192.0.2.1',
    'ttl 300',
  ]);
});

test('a name that does not exist ends it at once', async () => {
  expect(await route({})).toEqual(['554 5.4.4 [internal] Domain Lookup Failed']);
});

test('an MX look-up that fails is asked again, and never answered by an A record', async () => {
  expect(await route({ 'dst.test MX': failed, 'dst.test A': a('192.0.2.1') })).toEqual(['failed']);
});

test('after mx_failures_fallback_to_a failures the A record is taken, for a short time', async () => {
  expect(await route({ 'dst.test MX': failed, 'dst.test A': a('192.0.2.1') }, { addressesInstead: true })).toEqual([
    '0 dst.test 192.0.2.1',
    'ttl 60',
  ]);
});

test.each([
  ['has none', noData],
  ['does not exist', noName],
  ['fails too', failed],
])('a domain whose MX look-up fails is not given up because its A record %s', async (_what, answer) => {
  expect(await route({ 'dst.test MX': failed, 'dst.test A': answer }, { addressesInstead: true })).toEqual(['failed']);
});

test('an MX look-up that works again counts, however often it has failed before', async () => {
  const zone = { 'dst.test MX': mx([10, 'one.test']), 'one.test A': a('192.0.2.1') };
  expect(await route(zone, { addressesInstead: true })).toEqual(['10 one.test 192.0.2.1', 'ttl 300']);
});

test('neither MX nor A is a permanent failure', async () => {
  expect(await route({ 'dst.test MX': noData, 'dst.test A': noData })).toEqual([
    '550 5.4.4 [internal] no MX or A for domain',
  ]);
  expect(await route({ 'dst.test MX': mx([10, 'gone.test']) })).toEqual(['550 5.4.4 [internal] no MX or A for domain']);
});

test('a host whose address cannot be looked up now is a reason to ask again soon', async () => {
  const zone = { 'dst.test MX': mx([10, 'one.test'], [20, 'two.test']), 'one.test A': failed };
  expect(await route(zone)).toEqual(['failed']);
  expect(await route({ ...zone, 'two.test A': a('192.0.2.2') })).toEqual(['20 two.test 192.0.2.2', 'ttl 60']);
});

test('an MX record that names an address is nothing', async () => {
  expect(await route({ 'dst.test MX': mx([10, '192.0.2.1']) })).toEqual(['550 5.4.4 [internal] no MX or A for domain']);
  expect(await route({ 'dst.test MX': mx([10, '192.0.2.1'], [20, 'one.test']), 'one.test A': a('192.0.2.9') })).toEqual(
    ['20 one.test 192.0.2.9', 'ttl 300'],
  );
});

test('an address in prohibited_hosts denies the whole domain', async () => {
  const zone = { 'dst.test MX': mx([10, 'one.test']), 'one.test A': a('192.0.2.1', '127.0.0.1') };
  const text = '551 5.4.6 [internal] Private/Loopback Address';
  expect(await route(zone, { prohibited: blocks('127.0.0.0/8') })).toEqual([text]);
  const mapped = { 'dst.test MX': mx([10, 'one.test']), 'one.test A': noData, 'one.test AAAA': aaaa('::ffff:7f00:1') };
  expect(await route(mapped, { useIpv6: true, prohibited: blocks('127.0.0.0/8') })).toEqual([text]);
});

test('an address in skip_hosts is skipped, and only that one', async () => {
  const zone = { 'dst.test MX': mx([10, 'one.test']), 'one.test A': a('192.0.2.1', '192.0.2.2') };
  expect(await route(zone, { skipped: blocks('192.0.2.1/32') })).toEqual(['10 one.test 192.0.2.2', 'ttl 300']);
});

test('an IPv4 address in the clothes of an IPv6 one is an IPv4 address', async () => {
  const zone = { 'dst.test MX': mx([10, 'one.test']), 'one.test A': noData, 'one.test AAAA': aaaa('::ffff:c000:201') };
  expect(await route(zone, { useIpv6: true })).toEqual(['10 one.test 192.0.2.1', 'ttl 300']);
});

test('an address literal needs no DNS', async () => {
  expect(await route({}, {}, '[192.0.2.7]')).toEqual(['0 192.0.2.7 192.0.2.7', 'ttl 86400']);
  expect(await route({}, { prohibited: blocks('192.0.2.0/24') }, '[192.0.2.7]')).toEqual([
    '551 5.4.6 [internal] Private/Loopback Address',
  ]);
});

test('the best of the records that name ourselves counts, wherever it stands in the answer', async () => {
  const zone = { 'me.test A': a('192.0.2.2'), 'two.test A': a('192.0.2.3') };
  const answer = mx([30, 'me.test'], [20, 'two.test'], [10, 'me.test']);
  expect(await route({ ...zone, 'dst.test MX': answer })).toEqual([
    '554 5.4.6 [internal] this host is the best MX of the domain',
  ]);
});

test('mail never goes to ourselves, nor to an exchanger worse than we are', async () => {
  const zone = {
    'dst.test MX': mx([10, 'one.test'], [20, 'me.test'], [20, 'equal.test'], [30, 'worse.test']),
    'one.test A': a('192.0.2.1'),
    'me.test A': a('192.0.2.2'),
    'equal.test A': a('192.0.2.3'),
    'worse.test A': a('192.0.2.4'),
  };
  expect(await route(zone)).toEqual(['10 one.test 192.0.2.1', 'ttl 300']);
  expect(await route({ ...zone, 'dst.test MX': mx([10, 'me.test'], [20, 'one.test']) })).toEqual([
    '554 5.4.6 [internal] this host is the best MX of the domain',
  ]);
});

test('routes: the order of the list is the preference', async () => {
  const zone = { 'one.test A': a('192.0.2.1'), 'two.test A': a('192.0.2.2') };
  expect(await route(zone, { entries: entries('two.test:26', 'one.test', '192.0.2.9') })).toEqual([
    '0 two.test 192.0.2.2:26',
    '1 one.test 192.0.2.1',
    '2 192.0.2.9 192.0.2.9',
    'ttl 300',
  ]);
});

test('routes: a preference that is given counts', async () => {
  const zone = { 'one.test A': a('192.0.2.1'), 'two.test A': a('192.0.2.2') };
  const listed = entries('smtp://two.test?pref=20&ttl=30', 'smtp://one.test?pref=10');
  expect(await route(zone, { entries: listed })).toEqual(['10 one.test 192.0.2.1', '20 two.test 192.0.2.2', 'ttl 30']);
});

test('routes: __mx__ stands for all MX records in its place', async () => {
  const zone = {
    'dst.test MX': mx([10, 'one.test'], [20, 'two.test']),
    'one.test A': a('192.0.2.1'),
    'two.test A': a('192.0.2.2'),
    'back.test A': a('192.0.2.3'),
  };
  const order = async (...written: string[]): Promise<string[]> =>
    (await route(zone, { entries: entries(...written) })).map((line) => line.split(' ')[1] ?? '');
  expect(await order('__mx__', 'back.test')).toEqual(['one.test', 'two.test', 'back.test', '300']);
  expect(await order('back.test', '__mx__')).toEqual(['back.test', 'one.test', 'two.test', '300']);
  expect(await order('smtp://dst.test?type=mx&pref=5', 'smtp://back.test?pref=4')).toEqual([
    'back.test',
    'one.test',
    'two.test',
    '300',
  ]);
});

test('routes: what DNS does not know now is left out for a short time', async () => {
  const zone = { 'dst.test MX': failed, 'back.test A': a('192.0.2.3') };
  expect(await route(zone, { entries: entries('__mx__', 'back.test') })).toEqual([
    '65536 back.test 192.0.2.3',
    'ttl 60',
  ]);
  expect(await route(zone, { entries: entries('__mx__', 'gone.test') })).toEqual(['failed']);
  expect(await route({}, { entries: entries('__mx__') })).toEqual(['554 5.4.4 [internal] Domain Lookup Failed']);
});
