import { expect, test } from 'vitest';
import { simHashing } from '../sim/hashing.ts';
import { nodeHashing } from './hashing.ts';

test('PBKDF2 is that of RFC 7914 §11, off the loop and in the simulated world', async () => {
  const wanted = '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc';
  for (const { pbkdf2 } of [nodeHashing, simHashing]) {
    const key = await pbkdf2(Buffer.from('passwd'), Buffer.from('salt'), 1);
    expect(Buffer.from(key).toString('hex')).toBe(wanted);
  }
  const words = [Buffer.from('pässword'), Buffer.from([0, 1, 2]), 77] as const;
  expect(Buffer.from(await nodeHashing.pbkdf2(...words))).toEqual(Buffer.from(await simHashing.pbkdf2(...words)));
});
