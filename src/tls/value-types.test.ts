import { expect, test } from 'vitest';
import { type RawValue, ValueError, type ValueType } from '../config/index.ts';
import { cipherList, curveList, protocolList, suiteList, verifyMode } from './value-types.ts';

const raw = (text: string): RawValue => ({ kind: 'text', text, quoted: true, at: { file: 'f', line: 1, column: 1 } });

test.each<[string, readonly string[]]>([
  ['+ALL', ['TLSv1.2', 'TLSv1.3']],
  ['ALL', ['TLSv1.2', 'TLSv1.3']],
  ['+ALL:-SSLv3:-TLSv1.0:-TLSv1.1', ['TLSv1.2', 'TLSv1.3']],
  ['+ALL:-TLSv1.3', ['TLSv1.2']],
  ['+TLSv1.2', ['TLSv1.2']],
  ['+tlsv1.2:+TLSV1.3', ['TLSv1.2', 'TLSv1.3']],
  ['+ALL:+TLSv1.0', ['TLSv1', 'TLSv1.2', 'TLSv1.3']],
  ['+ALL:+TLSv1.1', ['TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
  ['-TLSv1.2', ['TLSv1.3']],
  ['+SSLv3:+TLSv1.3', ['TLSv1.3']],
  ['+ALL:-ALL:+TLSv1.3', ['TLSv1.3']],
  [' +ALL : -TLSv1.2 ', ['TLSv1.3']],
])('TLS_Protocols = "%s" is %j', (written, protocols) => {
  expect(protocolList.read(raw(written))).toEqual(protocols);
});

test.each<[string, ValueType<unknown>, string]>([
  ['+SSLv3', protocolList, 'none would be left'],
  ['+ALL:-TLSv1.2:-TLSv1.3', protocolList, 'none would be left'],
  ['', protocolList, 'there is no'],
  ['+TLSv1.4', protocolList, "there is no '+TLSv1.4'"],
  ['TLSv1.2 TLSv1.3', protocolList, 'there is no'],
  ['NORMAL', cipherList, 'GnuTLS'],
  ['SECURE256:+SECURE128:-VERS-TLS1.0', cipherList, 'GnuTLS'],
  ['PFS', cipherList, 'GnuTLS'],
  ['NORMAL:%COMPAT', cipherList, 'GnuTLS'],
  ['DEFAULT:-VERS-TLS1.1', cipherList, 'GnuTLS'],
  ['TLS_AES_128_GCM_SHA256', cipherList, 'TLSv13_Ciphersuites'],
  ['', cipherList, 'OpenSSL'],
  ['TLS_AES_128_GCM_SHA384', suiteList, "there is no 'TLS_AES_128_GCM_SHA384'"],
  ['TLS_AES_128_GCM_SHA256:', suiteList, "there is no ''"],
  ['secp384r1: prime256v1', curveList, 'invalid curve or group list'],
  ['a::b', curveList, 'invalid curve or group list'],
  [':a', curveList, 'invalid curve or group list'],
  ['', curveList, 'invalid curve or group list'],
])('"%s" is refused', (written, type, expected) => {
  const read = (): unknown => type.read(raw(written));
  expect(read).toThrow(ValueError);
  expect(read).toThrow(expected);
});

test('cipher lists are taken as OpenSSL has them, blanks and commas for colons', () => {
  expect(cipherList.read(raw('DEFAULT:!LOW:!EXP'))).toBe('DEFAULT:!LOW:!EXP');
  expect(cipherList.read(raw('DHE-RSA-AES256-SHA, AES128-SHA @STRENGTH'))).toBe(
    'DHE-RSA-AES256-SHA:AES128-SHA:@STRENGTH',
  );
});

test('every word but none and require verifies what is shown', () => {
  expect(['none', 'REQUIRE', 'optional', 'maybe'].map((word) => verifyMode.read(raw(word)))).toEqual([
    'none',
    'require',
    'optional',
    'optional',
  ]);
});
