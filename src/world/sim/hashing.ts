import { createHmac } from 'node:crypto';
import type { Hashing } from '../world.ts';

/**
 * PBKDF2 as RFC 8018 §5.2 writes it, done within the call: a real thread would answer at a moment that no seed decides.
 * The real one is another implementation, so that each is a test of the other.
 */
export const simHashing: Hashing = {
  async pbkdf2(password, salt, iterations) {
    const hmac = (bytes: Uint8Array): Buffer => createHmac('sha256', password).update(bytes).digest();
    let last = hmac(Buffer.concat([salt, Uint8Array.of(0, 0, 0, 1)]));
    const sum = Buffer.from(last);
    for (let round = 1; round < iterations; round++) {
      last = hmac(last);
      for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) ^ (last[at] ?? 0);
    }
    return sum;
  },
};
