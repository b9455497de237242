import { expect, test } from 'vitest';
import { simWorld } from '../world/sim/index.ts';
import { DigestNonces, type DigestVerdict, md5 } from './digest.ts';

const SECRET = md5('ann:r:secret');
const { clock, chance } = simWorld();

const nonceOf = (nonces: DigestNonces): string => /nonce="([^"]*)"/.exec(nonces.challenge('r', false))?.[1] ?? '';

function use(nonces: DigestNonces, nonce: string, count: number, secret = SECRET): DigestVerdict {
  const nc = count.toString(16).padStart(8, '0');
  const fields = new Map([
    ['nonce', nonce],
    ['nc', nc],
    ['cnonce', 'c'],
    ['qop', 'auth'],
    ['uri', '/'],
    ['response', md5(`${secret}:${nonce}:${nc}:c:auth:${md5('GET:/')}`)],
  ]);
  return nonces.verdict(fields, SECRET, 'GET', '/');
}

test('a nonce is good until somebody has used it or five minutes are over, however many others ask for one', () => {
  const nonces = new DigestNonces(clock, chance);
  const good = nonceOf(nonces);
  for (let other = 0; other < 20_000; other++) nonces.challenge('r', false);
  expect([use(nonces, good, 1), use(nonces, good, 1), use(nonces, good, 2)]).toEqual(['right', 'stale', 'right']);
});

test('a nonce whose uses have been forgotten cannot be used again', async () => {
  const nonces = new DigestNonces(clock, chance);
  const seen = nonceOf(nonces);
  expect(use(nonces, seen, 1)).toBe('right');
  for (let other = 0; other < 11_000; other++) use(nonces, nonceOf(nonces), 1);
  expect(use(nonces, seen, 1)).toBe('stale');
  expect(use(nonces, seen, 2)).toBe('stale');
  await clock.advance(1);
  expect(use(nonces, nonceOf(nonces), 1)).toBe('right');
});

test('a nonce has an end of its uses', () => {
  const nonces = new DigestNonces(clock, chance);
  const nonce = nonceOf(nonces);
  const verdicts = Array.from({ length: 1001 }, (_, n) => use(nonces, nonce, n + 1));
  expect([verdicts.filter((each) => each === 'right').length, verdicts.at(-1)]).toEqual([1000, 'stale']);
});

test('RFC 7616: stale is only said to whoever knows the password, whatever nonce it was', async () => {
  const nonces = new DigestNonces(clock, chance);
  const old = nonceOf(nonces);
  await clock.advance(300_001);
  for (const nonce of [old, 'made up', '1.2.3', '', nonceOf(new DigestNonces(clock, chance))])
    expect([nonce, use(nonces, nonce, 1), use(nonces, nonce, 1, md5('guess'))]).toEqual([nonce, 'stale', 'wrong']);
});

test('counts are eight hex digits, and no two spellings are two uses', () => {
  const nonces = new DigestNonces(clock, chance);
  const nonce = nonceOf(nonces);
  expect(use(nonces, nonce, 10)).toBe('right');
  const upper = '0000000A';
  const fields = new Map([
    ['nonce', nonce],
    ['nc', upper],
    ['cnonce', 'c'],
    ['qop', 'auth'],
    ['uri', '/'],
    ['response', md5(`${SECRET}:${nonce}:${upper}:c:auth:${md5('GET:/')}`)],
  ]);
  expect(nonces.verdict(fields, SECRET, 'GET', '/')).toBe('stale');
});
