import fc from 'fast-check';
import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { civilTime, dayNames, mailDate } from './date.ts';

test('a date reads as in RFC 5322, in UTC', () => {
  expect(mailDate(millis(1_700_000_000_999))).toBe('Tue, 14 Nov 2023 22:13:20 +0000');
  expect(mailDate(millis(0))).toBe('Thu, 01 Jan 1970 00:00:00 +0000');
  expect(mailDate(millis(951_782_400_000))).toBe('Tue, 29 Feb 2000 00:00:00 +0000');
});

test('the calendar agrees with the one of the language, leap years and centuries included', () => {
  const theirs = new Intl.DateTimeFormat('en-US', {
    timeZone: 'UTC',
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  fc.assert(
    // From the year 1601 on, since the language's calendar is Julian in the distant past.
    fc.property(fc.integer({ min: -11_600_000_000, max: 250_000_000_000 }), (second) => {
      const parts = Object.fromEntries(theirs.formatToParts(second * 1000).map((part) => [part.type, part.value]));
      const ours = civilTime(millis(second * 1000 + 999));
      expect({ ...ours, weekday: dayNames[ours.weekday] }).toEqual({
        year: Number(parts.year),
        month: Number(parts.month),
        day: Number(parts.day),
        weekday: parts.weekday,
        hour: Number(parts.hour),
        minute: Number(parts.minute),
        second: Number(parts.second),
      });
    }),
  );
});
