import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressDomain, literalAddress, parseDomain } from './domain.ts';

test.each([
  ['Example.COM', 'example.com'],
  ['example.com.', 'example.com'],
  ['localhost', 'localhost'],
  ['_dmarc.Example.com', '_dmarc.example.com'],
  ['BÜCHER.example', 'xn--bcher-kva.example'],
  ['bücher。example', 'xn--bcher-kva.example'],
  ['straße.de', 'xn--strae-oqa.de'],
  ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
  ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['１.example', '1.example'],
  ['192.0.2.1', '192.0.2.1'],
  ['[192.0.2.1]', '192.0.2.1'],
  ['[IPv6:2001:DB8::0:1]', '[ipv6:2001:db8::1]'],
  ['[ipv6:2001:db8::1]', '[ipv6:2001:db8::1]'],
  ['[2001:db8::1]', '[ipv6:2001:db8::1]'],
  [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b`],
])('%s is the routing domain %s', (text, domain) => {
  expect(parseDomain(text)).toBe(domain);
});

test.each([
  '',
  '.',
  '..',
  '.a',
  'a..b',
  'a b',
  'a/b.ü',
  '%41ü.de',
  'ü%41.de',
  'ü@b.de',
  'ü:25',
  'ü?.de',
  'ü#.de',
  'a\0b',
  'a\nb',
  '1.2.3',
  '0x7f.1',
  '1.2.3.4.5',
  '256.1.1.1',
  '１.２',
  '０ｘ７ｆ.１',
  '％41.de',
  'ü／b.de',
  '\u200d.de',
  '[192.0.2.1',
  '[IPv6:192.0.2.1]',
  '[IPv6:::g]',
  '[fe80::1%eth0]',
  '[]',
  '[localhost]',
  'a'.repeat(64),
  `${'a.'.repeat(127)}b`,
  'ü'.repeat(2000),
])('%j is no routing domain', (text) => {
  expect(parseDomain(text)).toBeUndefined();
});

test('a domain is its own domain, made of nothing but what a name may hold', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.domain(), fc.stringMatching(/^[a-z0-9.ü。％／-]{1,30}$/)),
      (text) => {
        const domain = parseDomain(text);
        if (domain === undefined) return;
        expect(domain).toMatch(/^(?:[a-z0-9_.-]{1,253}|\[ipv6:[0-9a-f:]+\])$/);
        expect(parseDomain(domain)).toBe(domain);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a literal gives its address, a name gives none', () => {
  for (const ip of ['192.0.2.1', '2001:db8::1']) expect(literalAddress(addressDomain(ip))).toBe(ip);
  const name = parseDomain('example.com');
  expect(name && literalAddress(name)).toBeUndefined();
});
