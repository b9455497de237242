import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressText } from './address.ts';
import { CidrTable, cidrText, contains, parseCidr } from './cidr.ts';

test.each([
  ['192.0.2.0/24', '192.0.2.0/24', false],
  ['192.0.2.77/24', '192.0.2.0/24', true],
  ['192.0.2.1', '192.0.2.1/32', false],
  ['0.0.0.0/0', '0.0.0.0/0', false],
  ['10.1.2.3/0', '0.0.0.0/0', true],
  ['2001:DB8::/32', '2001:db8::/32', false],
  ['[2001:db8::]/32', '2001:db8::/32', false],
  ['[2001:db8::1/32]', '2001:db8::/32', true],
  ['[::1]', '::1/128', false],
  ['::ffff:192.0.2.0/120', '192.0.2.0/24', false],
])('%s is the block %s', (text, canonical, hostBits) => {
  const cidr = parseCidr(text);
  expect(cidr && cidrText(cidr)).toBe(canonical);
  expect(cidr?.hostBits).toBe(hostBits);
});

test.each([
  '',
  '/',
  '1.2.3.4/',
  '1.2.3.4/33',
  '1.2.3.4/-1',
  '1.2.3.4/08',
  '1.2.3.4/8/8',
  '::/129',
  '[1.2.3.4]/8',
  '[::1',
  '::1]',
  'host/8',
  'fe80::1%eth0/64',
  '*',
])('%j is no block', (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test('a mapped client is judged by its IPv4 address', () => {
  const cidr = parseCidr('192.0.2.0/24');
  expect(cidr && contains(cidr, '::ffff:192.0.2.9')).toBe(true);
  expect(cidr && contains(cidr, '2001:db8::1')).toBe(false);
});

const address = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4, max: 3 }), fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 }))
  .map(addressText);
const text = fc.tuple(address, fc.nat(128)).map(([ip, prefix]) => `${ip}/${ip.includes(':') ? prefix : prefix % 33}`);

test('a block holds what the platform says it holds, and the table finds the same blocks, longest prefix first', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 40 }), fc.array(address, { maxLength: 10 }), (blocks, ips) => {
      const table = new CidrTable<string>();
      for (const each of blocks) {
        const cidr = parseCidr(each);
        if (cidr) table.add(cidr, each);
      }
      expect(table.size).toBe(blocks.length);
      for (const ip of ips) {
        const expected = blocks.filter((each) => {
          const list = new BlockList();
          const [network = '', prefix] = each.split('/');
          list.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4');
          const holds =
            ip.includes(':') === network.includes(':') && list.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4');
          const cidr = parseCidr(each);
          expect(cidr && contains(cidr, ip), `${each} ${ip}`).toBe(holds);
          return holds;
        });
        const length = (each: string) => Number(each.split('/')[1]);
        expect(table.matches(ip)).toEqual(expected.toSorted((one, other) => length(other) - length(one)));
      }
    }),
  );
});

test('an empty table matches nothing', () => {
  expect(new CidrTable().matches('192.0.2.1')).toEqual([]);
});
