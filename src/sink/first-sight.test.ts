import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { Counters, MOST_DOMAINS } from './counters.ts';
import { FirstSight } from './first-sight.ts';

test('a stranger waits, and passes once the time is over, counted from the first call', () => {
  const sights = new FirstSight();
  expect(sights.passed('a', millis(1000), millis(50))).toBe(false);
  expect(sights.passed('a', millis(1000), millis(1049))).toBe(false);
  expect(sights.passed('a', millis(1000), millis(1050))).toBe(true);
  expect(sights.passed('b', millis(0), millis(1050))).toBe(true);
});

test('at the limit the oldest is forgotten', () => {
  const sights = new FirstSight(2);
  for (const key of ['a', 'b', 'c']) sights.passed(key, millis(10), millis(0));
  expect(sights.passed('b', millis(10), millis(10))).toBe(true);
  expect(sights.passed('a', millis(10), millis(10))).toBe(false);
});

test('domains beyond the limit are counted together', () => {
  const counters = new Counters();
  for (let n = 0; n < MOST_DOMAINS + 5; n++) counters.count(`${n}.example`, 'accepted');
  expect(counters.byDomain.size).toBe(MOST_DOMAINS + 1);
  expect(counters.byDomain.get('*')?.accepted).toBe(5);
  expect(counters.recipients.accepted).toBe(MOST_DOMAINS + 5);
});
