import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointText, parseEndpoint } from './endpoint.ts';

test.each([
  ['*:25', '0.0.0.0:25'],
  [':25', '0.0.0.0:25'],
  ['0.0.0.0:25', '0.0.0.0:25'],
  ['[*]:25', '[::]:25'],
  ['[::]:25', '[::]:25'],
  ['[0:0:0:0:0:0:0:0]:25', '[::]:25'],
  ['127.0.0.1:25', '127.0.0.1:25'],
  ['[fd00::A]:587', '[fd00::a]:587'],
  ['[::192.0.2.1]:25', '[::c000:201]:25'],
  ['[::c000:201]:25', '[::c000:201]:25'],
  ['[::ffff:192.0.2.1]:25', '192.0.2.1:25'],
  ['[::ffff:c000:201]:25', '192.0.2.1:25'],
  ['[2001:DB8:0:0:1::1]:25', '[2001:db8::1:0:0:1]:25'],
  ['[2001:0db8::0:1:0:0:1]:25', '[2001:db8::1:0:0:1]:25'],
  ['[2001:db8:0000:0:1:0:0:1]:25', '[2001:db8::1:0:0:1]:25'],
  ['[0:0:1:0:0:0:1:0]:25', '[0:0:1::1:0]:25'],
  ['[fe80::1%eth0]:25', '[fe80::1%eth0]:25'],
  [':65535', '0.0.0.0:65535'],
  ['/run/impetus/in.sock', '/run/impetus/in.sock'],
  ['//run///impetus/./././in.sock', '/run/impetus/in.sock'],
  [`/${'a'.repeat(106)}`, `/${'a'.repeat(106)}`],
])('%s is the endpoint %s', (text, key) => {
  const endpoint = parseEndpoint(text);
  expect(endpoint.kind === 'error' ? endpoint.text : endpointText(endpoint)).toBe(key);
});

test.each([
  ['', 'missing port'],
  ['127.0.0.1', 'missing port'],
  ['[::1]', 'missing port'],
  ['[::1]25', 'missing port'],
  ['25', 'write ":25"'],
  ['*.25', 'use "*:25"'],
  [':0', 'invalid port'],
  [':65536', 'invalid port'],
  [':smtp', 'invalid port'],
  ['127.0.0.1:', 'invalid port'],
  [':+25', 'invalid port'],
  ['fe80::1:25', 'IPv6 addresses need brackets'],
  ['[1::2::3]:25', 'invalid IPv6 address'],
  ['[12345::]:25', 'invalid IPv6 address'],
  ['[1:2:3]:25', 'invalid IPv6 address'],
  ['[127.0.0.1]:25', 'invalid IPv6 address'],
  ['[::1:25', 'invalid IPv6 address'],
  ['1.2.3:25', 'invalid IPv4 address'],
  ['1.2.3.256:25', 'invalid IPv4 address'],
  ['localhost:25', 'host names are not accepted'],
  ['run/in.sock', 'Unix sockets need an absolute path'],
  ['./in.sock', 'Unix sockets need an absolute path'],
  [`/${'a'.repeat(107)}`, 'socket path too long'],
  ['/run/\0x', 'invalid character in socket path'],
])('%j is refused: %s', (text, why) => {
  expect(parseEndpoint(text)).toEqual({ kind: 'error', text: why });
});

test('no text breaks the parser, and a key is its own key', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[[\]:*.0-9a-f/]*$/)), (text) => {
      const endpoint = parseEndpoint(text);
      if (endpoint.kind !== 'error') expect(parseEndpoint(endpointText(endpoint))).toEqual(endpoint);
    }),
  );
});
