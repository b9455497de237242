import fc from 'fast-check';
import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { Throttle } from './throttle.ts';

test('no window of the period ever holds more than the count, wherever it begins', () => {
  const steps = fc.array(fc.record({ wait: fc.nat(900), wanted: fc.integer({ min: 1, max: 7 }) }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 }), steps, (count, seconds, asked) => {
      const throttle = new Throttle(count, seconds);
      const taken: { at: number; units: number }[] = [];
      let now = 0;
      for (const { wait, wanted } of asked) {
        now += wait;
        const units = throttle.room(wanted, millis(now));
        if (units > 0) {
          throttle.take(units, millis(now));
          taken.push({ at: now, units });
        }
      }
      for (const { at } of taken) {
        const sum = taken
          .filter((each) => each.at >= at && each.at < at + seconds * 1000)
          .reduce((all, each) => all + each.units, 0);
        expect(sum).toBeLessThanOrEqual(count);
      }
    }),
  );
});

test('at the recovery time there is room, and not much earlier', () => {
  const throttle = new Throttle(5, 2);
  throttle.take(5, millis(100));
  expect(throttle.room(1, millis(1000))).toBe(0);
  const recovery = throttle.recovery(millis(1000));
  expect(recovery).toBeGreaterThanOrEqual(2100);
  expect(recovery).toBeLessThan(2200);
  expect(throttle.room(9, recovery)).toBe(5);
});

test('a bucket that slept for long is empty', () => {
  const throttle = new Throttle(3, 1);
  throttle.take(3, millis(0));
  expect(throttle.room(3, millis(1e9))).toBe(3);
});

test('a claimed unit is left to the claimer, but not for ever', () => {
  const throttle = new Throttle(2, 64);
  const claim = throttle.claim(millis(0));
  expect([throttle.room(5, millis(0)), throttle.recovery(millis(0))]).toEqual([1, 1000]);
  claim[Symbol.dispose]();
  claim[Symbol.dispose]();
  expect(throttle.room(5, millis(0))).toBe(2);
  const late = throttle.claim(millis(0));
  throttle.claim(millis(100));
  expect([throttle.room(5, millis(1999)), throttle.room(5, millis(2000)), throttle.room(5, millis(2100))]).toEqual([
    0, 1, 2,
  ]);
  late[Symbol.dispose]();
  expect(throttle.room(5, millis(2100))).toBe(2);
});
