import { expect, test } from 'vitest';
import { millis, seconds } from '../base/index.ts';
import { afterFailure, type RetryRules } from './retry.ts';

const rules = (changes: Partial<Record<keyof RetryRules, unknown>> = {}): RetryRules =>
  ({
    retryInterval: seconds(1200),
    maxRetryInterval: seconds(43200),
    maxRetries: 'auto',
    messageExpiration: seconds(86400),
    neverRetry: false,
    ...changes,
  }) as RetryRules;

/** Attempts each message as soon as it is due. @returns the seconds of all attempts, and what ended them */
function life(of: RetryRules): { attempts: number[]; end: string } {
  const attempts: number[] = [];
  let now = 0;
  for (let retries = 0; retries < 100; retries++) {
    attempts.push(now / 1000);
    const next = afterFailure(of, retries, millis(0), millis(now));
    if (next.kind === 'give up') return { attempts, end: `${next.expired ? 'expired' : 'failed'}: ${next.reply.text}` };
    now = next.at;
  }
  return { attempts, end: 'never' };
}

test('waits double from retry_interval up to max_retry_interval', () => {
  expect(life(rules({ messageExpiration: seconds(604800), maxRetries: 'none' })).attempts.slice(0, 9)).toEqual([
    0, 1200, 3600, 8400, 18000, 37200, 75600, 118800, 162000,
  ]);
});

test('five retries capped at the first interval end at 6000 seconds, uncapped at 37200', () => {
  expect(life(rules({ maxRetries: 5, maxRetryInterval: seconds(1200) }))).toEqual({
    attempts: [0, 1200, 2400, 3600, 4800, 6000],
    end: 'failed: [internal] exceeded max retries without delivery',
  });
  expect(life(rules({ maxRetries: 5 })).attempts.at(-1)).toBe(37200);
});

test('auto makes the last try at the deadline itself', () => {
  expect(life(rules()).attempts.slice(-2)).toEqual([75600, 86400]);
  const week = life(rules({ messageExpiration: seconds(604800) }));
  expect(week.attempts.length).toBe(20);
  expect(week.attempts.slice(-2)).toEqual([594000, 604800]);
  expect(week.end).toBe('expired: [internal] exceeded max time without delivery');
});

test('flushes use up an automatic limit long before the message expires', () => {
  const limit = rules();
  for (let retries = 0; retries < 7; retries++)
    expect(afterFailure(limit, retries, millis(0), millis(1000)).kind).toBe('again');
  expect(afterFailure(limit, 7, millis(0), millis(1000))).toMatchObject({ kind: 'give up', expired: false });
});

test('never_retry fails at the first failure', () => {
  expect(life(rules({ neverRetry: true })).attempts).toEqual([0]);
});

test('a retry interval of 0 with an automatic limit does not hang', () => {
  expect(afterFailure(rules({ retryInterval: seconds(0) }), 5, millis(0), millis(10)).kind).toBe('again');
});
