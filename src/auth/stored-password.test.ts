import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest-md5.ts';
import type { StoredType } from './named-scheme.ts';
import { clearText, fitsStored } from './stored-password.ts';
import { unixCrypt } from './unix-crypt.ts';

const turn = async (): Promise<void> => undefined;
const fits = (type: StoredType, stored: string, password = 'secret') =>
  fitsStored(type, stored, password, { user: 'ann', realm: 'mx' }, turn);
const hash = (algorithm: string, text: string, form: 'hex' | 'base64') =>
  createHash(algorithm).update(text).digest(form);
const salted = (algorithm: string) =>
  Buffer.concat([createHash(algorithm).update('secretSALT').digest(), Buffer.from('SALT')]).toString('base64');

describe('a password fits what is stored', () => {
  const stored: readonly (readonly [StoredType, string])[] = [
    ['clear', 'secret'],
    ['md5', hash('md5', 'secret', 'hex')],
    ['md5', hash('md5', 'secret', 'base64')],
    ['md5', '$1$saltsalt$9xy1btjgzLYfb7hivXtC//'],
    ['md5_hex', hash('md5', 'secret', 'hex').toUpperCase()],
    ['md5_base64', hash('md5', 'secret', 'base64')],
    ['sha1_hex', hash('sha1', 'secret', 'hex')],
    ['sha1_base64', hash('sha1', 'secret', 'base64')],
    ['digest-md5', digestOf('ann', 'mx', 'secret')],
    ['smd5', salted('md5')],
    ['smd5', `{SMD5}${salted('md5')}`],
    ['ssha1', salted('sha1')],
    ['ssha1', `{SSHA}${salted('sha1')}`],
    ['ucrypt', 'abNANd1rDfiNc'],
    ['rfc2307', 'secret'],
    ['rfc2307', '{CLEARTEXT}secret'],
    ['rfc2307', '{CRYPT}abNANd1rDfiNc'],
    ['rfc2307', `{MD5}${hash('md5', 'secret', 'base64')}`],
    ['rfc2307', `{SHA}${hash('sha1', 'secret', 'base64')}`],
    ['rfc2307', `{sha256}${hash('sha256', 'secret', 'base64')}`],
    ['rfc2307', `{SMD5}${salted('md5')}`],
    ['rfc2307', `{SSHA}${salted('sha1')}`],
    ['rfc2307', `{SSHA512}${salted('sha512')}`],
  ];
  test.each(stored)('%s: %s', async (type, text) => {
    expect(await fits(type, text)).toBe(true);
    expect(await fits(type, text, 'Secret')).toBe(false);
    expect(await fits(type, text, '')).toBe(false);
  });
});

test.each([
  ['md5_hex', 'abc'],
  ['md5_base64', '!!'],
  ['ssha1', hash('sha1', 'secret', 'base64')],
  ['digest-md5', 'x'],
  ['ucrypt', '$2b$10$abcdefghijklmnopqrstuv'],
  ['ucrypt', ''],
  ['rfc2307', '{ARGON2}x'],
  ['hmac_md5', 'x'],
] as const)('what is stored as %s and is not of that form fits nobody: %s', async (type, text) => {
  expect(await fits(type, text)).toBeUndefined();
});

test('only clear text serves mechanisms that compute with the password', () => {
  expect([clearText('clear', '{x}y'), clearText('rfc2307', '{PLAIN}y'), clearText('rfc2307', 'y')]).toEqual([
    '{x}y',
    'y',
    'y',
  ]);
  expect([clearText('rfc2307', '{SHA}y'), clearText('md5', 'y')]).toEqual([undefined, undefined]);
});

// Made by crypt(3) of glibc.
test.each([
  ['secret', 'abNANd1rDfiNc'],
  ['päss', 'ZzD7k.evnVpnU'],
  ['longerthaneight', '..QW4imy5ekiU'],
  ['', 'a/EHnzwPSYwCM'],
  ['secret', '$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi.'],
  ['', '$6$abc$mJP3a6FyA8uCnzRtlnNypPwjnvpi5TP9qOrInzrfDmwxUQG38PkpCPdqfTb8JQfAngapMxeim4AZ..hSdRRzD.'],
  [
    'pässword lang und länger als vierundsechzig zeichen damit auch das geht x',
    '$6$rounds=1234$xy$CfPK5EXV981FmAPqcRTr34fG2CgZNHXMSvfkUW9DcbUMuFm8ha0FMPvkY.3p7mjdrmd1/d1ygZBqQ6ClLdQyM.',
  ],
])('crypt of %j is as that of glibc', async (password, stored) => {
  expect(await unixCrypt(password, stored, turn)).toBe(stored);
});

test('a stored password that would take seconds is none', async () => {
  expect(await unixCrypt('x', '$6$rounds=999999999$xy$abc', turn)).toBeUndefined();
});
