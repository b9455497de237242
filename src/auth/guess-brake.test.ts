import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { GuessBrake } from './guess-brake.ts';

const NOW = millis(1_000_000);

test('three failures cost nothing, the next ones more and more, and no more than 20 seconds', () => {
  const brake = new GuessBrake();
  const delays = [...'123456789abc'].map(() => {
    brake.failed('192.0.2.1', undefined, NOW);
    return brake.delay('192.0.2.1', undefined, NOW);
  });
  expect(delays).toEqual([0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000, 20_000]);
  expect(brake.delay('192.0.2.2', undefined, NOW)).toBe(0);
});

test('a user is guessed at from many addresses as slowly as from one, until he has logged in', () => {
  const brake = new GuessBrake();
  for (let host = 1; host <= 5; host++) brake.failed(`192.0.2.${host}`, 'Ann', NOW);
  expect(brake.delay('198.51.100.1', 'ann', NOW)).toBe(2000);
  expect(brake.delay('192.0.2.1', 'bob', NOW)).toBe(0);
  brake.succeeded('ann');
  expect(brake.delay('198.51.100.1', 'ann', NOW)).toBe(0);
});

test('a /64 of IPv6 is one client', () => {
  const brake = new GuessBrake();
  for (let host = 1; host <= 4; host++) brake.failed(`2001:db8::${host}`, undefined, NOW);
  expect(brake.delay('2001:db8::ffff', undefined, NOW)).toBe(1000);
  expect(brake.delay('2001:db8:0:1::1', undefined, NOW)).toBe(0);
});

test('a failure is forgotten in a minute', () => {
  const brake = new GuessBrake();
  for (let times = 0; times < 5; times++) brake.failed('192.0.2.1', undefined, NOW);
  const later = (minutes: number): number => brake.delay('192.0.2.1', undefined, millis(NOW + minutes * 60_000));
  expect([later(0), later(1), later(2), later(10)]).toEqual([2000, 1000, 0, 0]);
});

test('ten thousand addresses are remembered, and no more', () => {
  const brake = new GuessBrake();
  for (let times = 0; times < 4; times++) brake.failed('192.0.2.1', undefined, NOW);
  for (let host = 0; host < 10_000; host++) brake.failed(`10.0.${host >> 8}.${host & 255}`, undefined, NOW);
  expect(brake.delay('192.0.2.1', undefined, NOW)).toBe(0);
});
