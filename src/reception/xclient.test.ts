import { expect, test } from 'vitest';
import { clientIp, parseXclient } from './xclient.ts';

const facts = (argument: string): object | undefined => {
  const read = parseXclient(argument);
  return read && Object.fromEntries(read);
};

test('attributes of either case, values in xtext, addresses canonical', () => {
  expect(facts('name=spike.example Addr=IPV6:2001:DB8:0::1 PORT=00025 proto=esmtp HELO=a.test login=a+20b')).toEqual({
    NAME: 'spike.example',
    ADDR: '2001:db8::1',
    PORT: '25',
    PROTO: 'ESMTP',
    HELO: 'a.test',
    LOGIN: 'a b',
  });
  expect(facts('DESTADDR=192.0.2.1 DESTPORT=587 ADDR=1.1.1.1 ADDR=::ffff:192.0.2.9')).toEqual({
    DESTADDR: '192.0.2.1',
    DESTPORT: '587',
    ADDR: '192.0.2.9',
  });
});

test('what the proxy does not know is there and undefined', () => {
  expect(facts('NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL] LOGIN=[unavailable] PORT=+5BUNAVAILABLE+5D')).toEqual({
    NAME: undefined,
    ADDR: undefined,
    LOGIN: undefined,
    PORT: undefined,
  });
});

test.each([
  '',
  'ADDR',
  'ADDR=',
  'NAME=',
  'FOO=bar',
  'ADDR=mx.test',
  'ADDR=IPV6:192.0.2.1',
  'ADDR=fe80::1%eth0',
  'PORT=65536',
  'PORT=-1',
  'PROTO=LMTP',
  'HELO=a+20b',
  'NAME=a+0D',
  'LOGIN=a+00',
  'NAME=a+2',
  'ADDR=1.2.3.4 x',
])('%j is refused', (argument) => {
  expect(facts(argument)).toBeUndefined();
});

test('addresses', () => {
  expect(['192.0.2.1', '2001:DB8::1', 'ipv6:::1', 'x', ''].map(clientIp)).toEqual([
    '192.0.2.1',
    '2001:db8::1',
    '::1',
    undefined,
    undefined,
  ]);
});
