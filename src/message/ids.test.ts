import fc from 'fast-check';
import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { eventId, formatId, idAllocator, messageId, messageIdValue, nullId, parseId } from './ids.ts';

test('counter 300, instance 812 and second 1700000000 read C2/10-00812-001F3556', () => {
  expect(formatId({ counter: 300, instance: 812, second: 1_700_000_000 })).toBe('C2/10-00812-001F3556');
  expect(parseId('C2/10-00812-001F3556')).toEqual({ counter: 300, instance: 812, second: 1_700_000_000 });
});

test('the first ids of an allocator are counter 1 and 2', () => {
  const ids = idAllocator({ instance: 812 });
  expect(ids.next(millis(1_700_000_000_999))).toBe('10/00-00812-001F3556');
  expect(ids.next(millis(1_700_000_000_999))).toBe('20/00-00812-001F3556');
});

test('the null id has all parts zero', () => {
  expect(formatId({ counter: 0, instance: 0, second: 0 })).toBe(nullId);
});

test('every id is found again in its parts', () => {
  const parts = fc.record({
    counter: fc.integer({ min: 0, max: 0xffff }),
    instance: fc.integer({ min: 0, max: 0xffff }),
    second: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  fc.assert(
    fc.property(parts, (given) => {
      expect(parseId(formatId(given))).toEqual(given);
    }),
  );
});

test('after 65536 ids in one second the allocator goes on with the next second', () => {
  const ids = idAllocator({ instance: 1 });
  const seen = new Set<string>();
  for (let count = 0; count < 140_000; count++) seen.add(ids.next(millis(1_700_000_000_000)));
  expect(seen.size).toBe(140_000);
  expect(parseId(ids.next(millis(1_700_000_001_000)))?.second).toBe(1_700_000_002);
  expect(parseId(ids.next(millis(1_700_000_009_000)))?.second).toBe(1_700_000_009);
});

test('no id is given twice when the wall clock steps back, and seconds never decrease', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (seconds) => {
      const ids = idAllocator({ instance: 1 });
      const seen = new Set<string>();
      let last = 0;
      for (const second of seconds) {
        const id = ids.next(millis((1_700_000_000 + second) * 1000));
        expect(seen.has(id)).toBe(false);
        seen.add(id);
        const now = parseId(id)?.second ?? 0;
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    }),
  );
});

test('an instance that does not fit 16 bits is refused', () => {
  expect(() => idAllocator({ instance: 65_536 })).toThrow(RangeError);
  expect(() => idAllocator({ instance: 1.5 })).toThrow(RangeError);
});

test.each([
  '',
  'C2/10-00812-001f3556',
  'C2/10-00812-001F3556 ',
  'C2-10-00812-001F3556',
  'C2/10-65536-001F3556',
  'C2/10-812-001F3556',
])('%j is not a message id', (text) => {
  expect(parseId(text)).toBeUndefined();
  expect(messageId(text)).toBeUndefined();
});

test('the event id is node, second, instance and counter, each little-endian', () => {
  expect(eventId(formatId({ counter: 300, instance: 812, second: 1_700_000_000 }), 1)).toBe('010000f153652c032c01');
});

test('a generated Message-ID has dots for the separators', () => {
  expect(messageIdValue(formatId({ counter: 300, instance: 812, second: 1_700_000_000 }), 'mx.test')).toBe(
    '<C2.10.00812.001F3556@mx.test>',
  );
});
