import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRouteEntry } from './route-entry.ts';

const host = (changes: Record<string, unknown>) => ({
  kind: 'host',
  host: 'mx.test',
  preference: undefined,
  port: undefined,
  ttlSeconds: undefined,
  type: 'a',
  ...changes,
});

test.each([
  ['__mx__', { kind: 'mx' }],
  ['__MX__', { kind: 'mx' }],
  ['mx.test', host({})],
  ['MX.Test', host({})],
  ['mx.test:2525', host({ port: 2525 })],
  ['192.0.2.1', host({ host: '192.0.2.1' })],
  ['192.0.2.1:26', host({ host: '192.0.2.1', port: 26 })],
  ['[2001:DB8:0::1]', host({ host: '2001:db8::1' })],
  ['[2001:db8::1]:26', host({ host: '2001:db8::1', port: 26 })],
  ['smtp://mx.test?pref=5&ttl=60&port=26&type=mx', host({ preference: 5, ttlSeconds: 60, port: 26, type: 'mx' })],
  ['smtp://mx.test/?type=A', host({})],
  ['esmtp://mx.test', host({})],
  ['LMTP://mx.test:24', host({ port: 24 })],
  ['smtp://mx.test?pref=70000&port=x&ttl=-1', host({})],
])('%s is an item of routes', (text, expected) => {
  expect(readRouteEntry(text)).toEqual(expected);
});

test.each(['', ' ', 'http://mx.test', 'mx.test:', 'mx test', '2001:db8::1', 'smtp://', 'a/b', '__mx__:25:25'])(
  '%j is no item of routes',
  (text) => {
    expect(readRouteEntry(text)).toBeUndefined();
  },
);

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void readRouteEntry(text)));
  fc.assert(fc.property(fc.stringMatching(/^(smtp:\/\/)?[[\]a-z0-9.:?&=/_-]*$/), (text) => void readRouteEntry(text)));
});
