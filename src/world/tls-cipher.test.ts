import { expect, test } from 'vitest';
import { cipherBits } from './tls-cipher.ts';

test.each<[string, number, number]>([
  ['TLS_AES_256_GCM_SHA384', 256, 256],
  ['TLS_CHACHA20_POLY1305_SHA256', 256, 256],
  ['TLS_AES_128_GCM_SHA256', 128, 128],
  ['ECDHE-RSA-AES128-GCM-SHA256', 128, 128],
  ['DHE-RSA-CAMELLIA256-SHA', 256, 256],
  ['ECDHE-ARIA256-GCM-SHA384', 256, 256],
  ['DES-CBC3-SHA', 168, 112],
  ['DES-CBC-SHA', 56, 56],
  ['ECDHE-RSA-NULL-SHA', 0, 0],
  ['something else', 0, 0],
])('the cipher %s has %i bits, %i of them secret', (name, bits, secretBits) => {
  expect(cipherBits(name)).toEqual({ bits, secretBits });
});
