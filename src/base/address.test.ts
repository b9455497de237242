import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressBytes, addressText, family, parseAddress, unmapped } from './address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['fd00::A', 'fd00::a'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:db8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::192.0.2.1', '::c000:201'],
  ['::c000:201', '::c000:201'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
])('%s is the address %s', (text, canonical) => {
  expect(parseAddress(text)).toBe(canonical);
});

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4 ',
  ' 1.2.3.4',
  '1.2.3.-4',
  '1.2.3.4%eth0',
  '0x7f.0.0.1',
  ':',
  ':::',
  '1::2::3',
  '::12345',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  ':1:2:3:4:5:6:7:8',
  '::g',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4:5',
  '::%',
  'fe80::1%',
  'fe80::1%a b',
  '[::1]',
  '::1/64',
  'localhost',
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test('what is taken for an address is what the system takes for one', () => {
  const near = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[0-9a-f:.]{0,42}$/),
    fc.array(fc.stringMatching(/^(?:[0-9a-f]{0,4}|)$/), { maxLength: 9 }).map((groups) => groups.join(':')),
  );
  fc.assert(
    fc.property(near, (text) => {
      expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0);
    }),
    { numRuns: 2000 },
  );
});

test('canonical text is what the URL parser of the platform writes', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      expect(`[${parseAddress(text)}]`).toBe(new URL(`http://[${text}]/`).hostname);
    }),
    { numRuns: 1000 },
  );
});

test('bytes and text lead to each other', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
      (bytes) => {
        const text = addressText(bytes);
        expect(parseAddress(text)).toBe(text);
        expect(addressBytes(text)).toEqual(bytes);
        expect(family(text)).toBe(bytes.length === 4 ? 4 : 6);
      },
    ),
  );
});

test('a zone has no bytes, and a word is refused', () => {
  expect(addressBytes('fe80::1%eth0')).toEqual(addressBytes('fe80::1'));
  expect(() => addressBytes('localhost')).toThrow(TypeError);
});

test('an IPv4-mapped address is unmapped in both spellings, others stay', () => {
  expect(unmapped('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(unmapped('::ffff:c000:201')).toBe('192.0.2.1');
  expect(unmapped('0:0:0:0:0:FFFF:c000:201')).toBe('192.0.2.1');
  expect(unmapped('::fffe:192.0.2.1')).toBe('::fffe:192.0.2.1');
  expect(unmapped('::ffff:1')).toBe('::ffff:1');
  expect(unmapped('192.0.2.1')).toBe('192.0.2.1');
});
