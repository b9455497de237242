import { expect, test } from 'vitest';
import { simChance } from '../sim/index.ts';
import { dnsName, mixedCase, reverseName } from './dns-name.ts';
import { hostsFile } from './hosts-file.ts';
import { resolvConf } from './resolv-conf.ts';

test('resolv.conf gives servers, timeout and attempts', () => {
  expect(
    resolvConf(`# made by hand
nameserver 192.0.2.53
nameserver 2001:DB8::53 ; second
nameserver 192.0.2.53
nameserver fe80::1%eth0
nameserver 127.0.0.1:5353
nameserver [::1]:5353
nameserver dns.example
nameserver
search example.com
options ndots:1 timeout:3 attempts:9 rotate
`),
  ).toEqual({
    servers: [
      { ip: '192.0.2.53', port: 53 },
      { ip: '2001:db8::53', port: 53 },
      { ip: 'fe80::1%eth0', port: 53 },
      { ip: '127.0.0.1', port: 5353 },
      { ip: '::1', port: 5353 },
    ],
    timeoutMillis: 3000,
    attempts: 5,
  });
});

test('without a server resolv.conf means this machine', () => {
  expect(resolvConf('')).toEqual({ servers: [{ ip: '127.0.0.1', port: 53 }], timeoutMillis: 5000, attempts: 2 });
  expect(resolvConf('options timeout:0 attempts:0\r\n')).toMatchObject({ timeoutMillis: 1000, attempts: 1 });
});

test('the hosts file gives addresses in its order', () => {
  const hosts = hostsFile(
    '127.0.0.1\tlocalhost  LOCAL.example. # me\n::1 localhost\n\n# no\nnot.an.ip name\n192.0.2.1\n127.0.0.1 localhost a..b\n',
  );
  expect([...hosts]).toEqual([
    ['localhost', ['127.0.0.1', '::1']],
    ['local.example', ['127.0.0.1']],
  ]);
});

test('names are brought to one form, or refused', () => {
  expect(dnsName('1/25.2.0.192.IN-ADDR.arpa.')).toBe('1/25.2.0.192.in-addr.arpa');
  expect(dnsName('bücher.de')).toBe('xn--bcher-kva.de');
  for (const none of ['', '.', 'a..b', 'a\\.b', 'a b', 'x'.repeat(64)]) expect(dnsName(none), none).toBeUndefined();
});

test('reverse names are built from the back', () => {
  expect(reverseName('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa');
  expect(reverseName('2001:db8::1')).toBe('1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa');
});

test('mixing changes nothing but the case', () => {
  const mixed = mixedCase('a-long.name.example', simChance(5));
  expect(mixed).not.toBe('a-long.name.example');
  expect(mixed.toLowerCase()).toBe('a-long.name.example');
});
