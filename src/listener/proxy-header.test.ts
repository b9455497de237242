import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { MOST_V1, MOST_V2, ProxyHeader, type ProxyOutcome } from './proxy-header.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const REST = 'EHLO a.test\r\n';

/** A header of version 2. @param tlvs  hexadecimal */
function binary(command: number, family: number, address: string, tlvs = ''): Buffer {
  const body = Buffer.from(address + tlvs, 'hex');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([SIGNATURE, Buffer.from([command, family]), length, body]);
}

/** The same with a CRC32C behind everything else. */
function checked(command: number, family: number, address: string, tlvs = ''): Buffer {
  const header = binary(command, family, address, `${tlvs}03000400000000`);
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

const V4 = 'cb007109c0000219d4310019'; // 203.0.113.9 → 192.0.2.25, 54321 → 25
const V6 = '20010db800000000000000000000000920010db8000000000000000000000019d4310019';
const UNIX = '2f746d702f61'.padEnd(432, '0');

/** Fed in pieces. The bytes behind the header are put together again, since they may come in several. */
function read(bytes: Buffer, sizes: readonly number[] = [bytes.length]): ProxyOutcome {
  const machine = new ProxyHeader();
  let outcome = machine.read(Buffer.alloc(0));
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    outcome = machine.read(bytes.subarray(at, at + size));
    at += size;
    if (outcome.kind === 'header') return { ...outcome, rest: Buffer.concat([outcome.rest, bytes.subarray(at)]) };
    if (outcome.kind === 'bad') return outcome;
  }
  return outcome;
}

const from = (version: 1 | 2, ip?: string, port = 54321): object => ({
  kind: 'header',
  version,
  source: ip === undefined ? undefined : { ip, port },
  rest: Buffer.from(REST),
});

const good: readonly (readonly [string, Buffer, object])[] = [
  ['TCP4', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.25 54321 25\r\n'), from(1, '203.0.113.9')],
  ['TCP6', Buffer.from('PROXY TCP6 2001:DB8:0::9 2001:db8::25 54321 25\r\n'), from(1, '2001:db8::9')],
  ['a mapped IPv4 address', Buffer.from('PROXY TCP6 ::ffff:203.0.113.9 ::1 1 25\r\n'), from(1, '203.0.113.9', 1)],
  ['ports 0 and 65535', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.25 65535 0\r\n'), from(1, '203.0.113.9', 65535)],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), from(1)],
  [
    'UNKNOWN with the longest tail',
    Buffer.from(
      'PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n',
    ),
    from(1),
  ],
  ['IPv4', binary(0x21, 0x11, V4), from(2, '203.0.113.9')],
  ['IPv6', binary(0x21, 0x21, V6), from(2, '2001:db8::9')],
  ['IPv4 with TLVs', binary(0x21, 0x11, V4, '0200086d78746573742e7804000100'), from(2, '203.0.113.9')],
  ['IPv4 with a CRC32C', checked(0x21, 0x11, V4, '020003616263'), from(2, '203.0.113.9')],
  ['IPv6 with a CRC32C', checked(0x21, 0x21, V6), from(2, '2001:db8::9')],
  ['LOCAL', binary(0x20, 0x00, ''), from(2)],
  ['LOCAL with a family and no addresses', binary(0x20, 0x11, ''), from(2)],
  ['LOCAL with addresses, which are ignored', checked(0x20, 0x11, V4), from(2)],
  ['a Unix socket', binary(0x21, 0x31, UNIX), from(2)],
  ['an unspecified family', binary(0x21, 0x00, 'ffff'.slice(4)), from(2)],
  ['a family that nobody has defined', binary(0x21, 0x51, 'ffffff'), from(2)],
  ['datagrams, which a session cannot be', binary(0x21, 0x12, V4), from(2)],
  [
    'the longest',
    binary(0x21, 0x11, V4, `04${(MOST_V2 - 31).toString(16)}`.padEnd(2 * (MOST_V2 - 28), '0')),
    from(2, '203.0.113.9'),
  ],
];

const wrong: readonly (readonly [string, Buffer, string])[] = [
  ['no header', Buffer.from(REST), 'it does not begin with a PROXY header'],
  ['almost one', Buffer.from('PROXZ TCP4 '), 'it does not begin with a PROXY header'],
  ['lower case', Buffer.from('proxy tcp4'), 'it does not begin with a PROXY header'],
  ['no signature', Buffer.from('0d0a0d0a00ff', 'hex'), 'it does not begin with a PROXY header'],
  ['a TLS hello', Buffer.from('160301', 'hex'), 'it does not begin with a PROXY header'],
  ['an unknown family', Buffer.from('PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n'), "'TCP5' is none of TCP4, TCP6 and UNKNOWN"],
  ['no family', Buffer.from('PROXY \r\n'), "'' is none of TCP4, TCP6 and UNKNOWN"],
  ['a bare LF', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n'), 'a line that is no text, or does not end in CRLF'],
  ['a bare LF before the CRLF', Buffer.from('PROXY UNKNOWN\nx\r\n'), 'a line that is no text, or does not end in CRLF'],
  ['controls', Buffer.from('PROXY UNKNOWN \x07\r\n'), 'a line that is no text, or does not end in CRLF'],
  [
    `${MOST_V1} bytes without an end`,
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(MOST_V1 - 14)}`),
    `more than ${MOST_V1} bytes without a line end`,
  ],
  [
    'an end one byte too late',
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(MOST_V1 - 15)}\r\n`),
    `more than ${MOST_V1} bytes without a line end`,
  ],
  ...[
    'TCP4 ::1 ::1 1 2',
    'TCP6 1.2.3.4 1.2.3.4 1 2',
    'TCP4 1.2.3.256 1.2.3.4 1 2',
    'TCP4 1.2.3.4 mx.test 1 2',
    'TCP6 fe80::1%eth0 ::1 1 2',
    'TCP6 [::1] ::1 1 2',
    'TCP4 1.2.3.4 1.2.3.4 1',
    'TCP4 1.2.3.4 1.2.3.4 1 2 3',
    'TCP4 1.2.3.4 1.2.3.4 65536 2',
    'TCP4 1.2.3.4 1.2.3.4 01 2',
    'TCP4 1.2.3.4 1.2.3.4 1 -2',
    'TCP4  1.2.3.4 1.2.3.4 1 2',
  ].map((words): readonly [string, Buffer, string] => [
    words,
    Buffer.from(`PROXY ${words}\r\n`),
    `'PROXY ${words}' is not 'PROXY ${words.slice(0, 4)}' with two addresses and two ports`,
  ]),
  ['version 3', binary(0x31, 0x11, V4), 'version 3 of the PROXY protocol'],
  ['another command', binary(0x22, 0x11, V4), 'an unknown command 2'],
  ['too few bytes for IPv4', binary(0x21, 0x11, V4.slice(2)), '11 bytes are too few for addresses of the family 1'],
  ['too few bytes for IPv6', binary(0x21, 0x21, V4), '12 bytes are too few for addresses of the family 2'],
  [
    'one byte more than the longest',
    binary(0x21, 0x11, V4, '00'.repeat(MOST_V2 - 27)),
    `a header of ${MOST_V2 + 1} bytes, more than ${MOST_V2}`,
  ],
  ['a TLV that is cut off', binary(0x21, 0x11, V4, '0400'), 'a TLV that is cut off'],
  ['a TLV beyond the end', binary(0x21, 0x11, V4, '04000200'), 'a TLV that is longer than the header'],
  ['a wrong CRC32C', binary(0x21, 0x11, V4, '03000400000000'), 'its CRC32C is wrong'],
  ['a short CRC32C', binary(0x21, 0x11, V4, '0300020000'), 'a CRC32C that has not four bytes'],
  ['a wrong CRC32C of LOCAL', binary(0x20, 0x00, '', '03000400000000'), 'its CRC32C is wrong'],
];

test('the CRC is that of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
});

describe('a good header gives the client, and leaves what is behind it', () => {
  test.each(good)('%s', (_, header, outcome) => {
    const bytes = Buffer.concat([header, Buffer.from(REST)]);
    expect(read(bytes)).toEqual(outcome);
    expect(read(bytes, [1])).toEqual(outcome);
  });

  test.each(good)('%s: what is not whole wants more', (_, header) => {
    const machine = new ProxyHeader();
    for (let at = 0; at < header.length - 1; at += 1)
      expect(machine.read(header.subarray(at, at + 1))).toEqual({ kind: 'more' });
    expect(machine.read(header.subarray(-1))).toMatchObject({ kind: 'header', rest: Buffer.alloc(0) });
  });
});

describe('a bad one is refused with its reason', () => {
  test.each(wrong)('%s', (_, bytes, why) => {
    expect(read(bytes)).toEqual({ kind: 'bad', why });
    expect(read(bytes, [1])).toEqual({ kind: 'bad', why });
  });

  test('and says so again, whatever comes', () => {
    const machine = new ProxyHeader();
    expect(machine.read(Buffer.from('x'))).toEqual(machine.read(Buffer.from('PROXY UNKNOWN\r\n')));
  });
});

test('any cut gives the same, and any bytes give some outcome', () => {
  const headers = [
    ...good.map(([, header]) => Buffer.concat([header, Buffer.from(REST)])),
    ...wrong.map(([, bytes]) => bytes),
  ];
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.constantFrom(...headers), sizes, (bytes, cut) => {
      expect(read(bytes, cut)).toEqual(read(bytes));
    }),
  );
  const flipped = fc.record({ header: fc.constantFrom(...headers), at: fc.nat(300), to: fc.nat(255) });
  fc.assert(
    fc.property(flipped, sizes, ({ header, at, to }, cut) => {
      const bytes = Buffer.from(header);
      bytes[at % bytes.length] = to;
      expect(read(bytes, cut)).toEqual(read(bytes));
    }),
  );
});
