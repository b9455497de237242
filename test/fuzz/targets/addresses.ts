import {
  addressBytes,
  addressText,
  cidrText,
  contains,
  endpointText,
  parseAddress,
  parseCidr,
  parseDomain,
  parseEndpoint,
} from '../../../src/base/index.ts';
import { type PathRules, parsePathArgument, STRICT_PATHS } from '../../../src/smtp/index.ts';
import { type FuzzTarget, latin } from '../target.ts';

const RULES: readonly PathRules[] = [
  STRICT_PATHS,
  { ...STRICT_PATHS, blanksAtBrackets: true, blanksAtEnd: true },
  { ...STRICT_PATHS, loose: true },
  { blanksAtBrackets: true, blanksAtEnd: true, loose: true, unqualified: true, utf8: false },
  { ...STRICT_PATHS, utf8: true },
];

function path(line: string, rules: PathRules, nullPath: boolean): string | undefined {
  const read = parsePathArgument(line, 0, nullPath, rules);
  if (read === undefined) return undefined;
  if (!rules.utf8 && /[^\x20-\x7e]/.test(read.path))
    return `control or eight-bit characters in ${JSON.stringify(read.path)}`;
  if (read.path.length > 254) return `a path of ${read.path.length} characters`;
  if (read.path === '' && !nullPath) return 'an empty recipient';
  const again = parsePathArgument(`<${read.path}>`, 0, nullPath, rules);
  if (again?.path !== read.path) return `${JSON.stringify(read.path)} is read back as ${JSON.stringify(again?.path)}`;
  for (const { key, value } of read.parameters)
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(key) || (value !== undefined && !/^[!-<>-~]+$/.test(value)))
      return `a parameter ${JSON.stringify(key)}=${JSON.stringify(value)}`;
  return undefined;
}

const LOCALS = ['a', 'a.b', '"q u"', '"a\\"b"', "o'brien+tag", 'postmaster', 'a..b', 'x'.repeat(64)] as const;
const DOMAINS = [
  'example.org',
  'EXAMPLE.org',
  'a_b.example',
  '[192.0.2.1]',
  '[IPv6:2001:db8::1]',
  `${'x'.repeat(63)}.org`,
  'xn--bcher-kva.example',
] as const;

export const paths: FuzzTarget = {
  name: 'path',
  about: 'MAIL FROM and RCPT TO: printable, within the bounds of RFC 5321, and read back as it was read',
  words: [...LOCALS, ...DOMAINS, '@', '<', '>', ' ', '@a,@b:', 'SIZE=1', 'BODY=8BITMIME', '\\', '"', '[', ']', '..'],
  generate(dice) {
    const blank = (): string => (dice.happens(0.1) ? ' '.repeat(dice.between(1, 3)) : '');
    const route = dice.happens(0.1) ? '@relay.example,@other.example:' : '';
    const parameters = dice.happens(0.3) ? ` SIZE=${dice.between(0, 1e6)} BODY=8BITMIME` : '';
    return latin(
      `${blank()}<${blank()}${route}${dice.of(LOCALS)}@${dice.of(DOMAINS)}${blank()}>${parameters}${blank()}`,
    );
  },
  check(input) {
    const line = input.toString('latin1');
    for (const rules of RULES)
      for (const nullPath of [true, false]) {
        const trouble = path(line, rules, nullPath);
        if (trouble !== undefined) return trouble;
      }
    return undefined;
  },
};

const ADDRESSES = [
  '192.0.2.1',
  '0.0.0.0',
  '255.255.255.255',
  '2001:db8::1',
  '::',
  '::ffff:192.0.2.1',
  'fe80::1%eth0',
  '1:2:3:4:5:6:7:8',
  '64:ff9b::192.0.2.33',
] as const;

export const addresses: FuzzTarget = {
  name: 'address',
  about: 'addresses, blocks, endpoints and domains: one spelling each, read back as itself',
  words: [...ADDRESSES, '/24', '/0', '/128', ':25', '*:25', '[', ']', '%', '::', '.', '/tmp/socket', 'ffff'],
  generate(dice) {
    const ip = dice.of(ADDRESSES);
    const text = dice.weighted({ address: 1, cidr: 2, endpoint: 2, domain: 1 });
    if (text === 'address') return latin(ip);
    if (text === 'cidr') return latin(`${ip}/${dice.between(0, 130)}`);
    if (text === 'domain') return latin(dice.of(DOMAINS));
    return latin(dice.of([`${ip}:${dice.between(0, 70_000)}`, `[${ip}]:25`, '*:25', '[*]:25', ':25', '/tmp/a//b/./c']));
  },
  check(input) {
    // Text of people is UTF-8.
    const text = input.toString('utf8');
    const ip = parseAddress(text);
    if (ip !== undefined) {
      if (parseAddress(ip) !== ip) return `${ip} is read back as ${parseAddress(ip)}`;
      if (!ip.includes('%') && addressText(addressBytes(ip)) !== ip) return `${ip} has other bytes`;
    }
    const cidr = parseCidr(text);
    if (cidr !== undefined) {
      const canonical = cidrText(cidr);
      const again = parseCidr(canonical);
      if (again === undefined || cidrText(again) !== canonical || again.hostBits)
        return `${canonical} is not read back`;
      if (!contains(cidr, addressText(cidr.bytes))) return `${canonical} does not contain its own network`;
    }
    const endpoint = parseEndpoint(text);
    if (endpoint.kind !== 'error') {
      const canonical = endpointText(endpoint);
      const again = parseEndpoint(canonical);
      if (again.kind === 'error' || endpointText(again) !== canonical) return `${canonical} is not read back`;
    }
    const domain = parseDomain(text);
    if (domain !== undefined && parseDomain(domain) !== domain)
      return `${domain} is read back as ${parseDomain(domain)}`;
    return undefined;
  },
};
