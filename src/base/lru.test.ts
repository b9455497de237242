import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lru } from './lru.ts';
import { millis } from './units.ts';

test('the entry not asked for longest makes room', () => {
  const cache = new Lru<string, number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);
  expect([...cache]).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test('a peek does not count as a use', () => {
  const cache = new Lru<string, number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.peek('a')).toBe(1);
  cache.set('c', 3);
  expect(cache.peek('a')).toBeUndefined();
});

test('an entry is gone when its lifetime is over', () => {
  const cache = new Lru<string, number>(10);
  cache.set('a', 1, millis(100));
  cache.set('b', 2, millis(200));
  cache.set('c', 3);
  expect(cache.get('a', millis(99))).toBe(1);
  expect(cache.get('a', millis(100))).toBeUndefined();
  expect(cache.size).toBe(2);
  expect(cache.expire(millis(1000))).toBe(1);
  expect(cache.get('c', millis(1e12))).toBe(3);
});

test('setting a key again takes no second place', () => {
  const cache = new Lru<string, number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  expect([...cache]).toEqual([
    ['b', 2],
    ['a', 3],
  ]);
});

test('a cache of no entries keeps nothing', () => {
  const cache = new Lru<string, number>(0);
  cache.set('a', 1);
  expect(cache.size).toBe(0);
});

test('entries can be dropped one by one and all at once', () => {
  const cache = new Lru<string, number>(5);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.delete('a')).toBe(true);
  expect(cache.delete('a')).toBe(false);
  cache.clear();
  expect(cache.size).toBe(0);
});

test('whatever is set, asked for and deleted, the order of use is kept', () => {
  const key = fc.integer({ min: 0, max: 5 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key }),
    fc.record({ kind: fc.constant('get' as const), key }),
    fc.record({ kind: fc.constant('delete' as const), key }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const cache = new Lru<number, string>(3);
      // The same by a list, oldest first.
      let used: number[] = [];
      for (const { kind, key: at } of steps) {
        const there = used.includes(at);
        if (kind === 'set') cache.set(at, `value ${at}`);
        else if (kind === 'get') expect(cache.get(at)).toBe(there ? `value ${at}` : undefined);
        else expect(cache.delete(at)).toBe(there);
        used = used.filter((each) => each !== at);
        if (kind === 'set' || (kind === 'get' && there)) used.push(at);
        used = used.slice(-3);
        expect([...cache].map(([each]) => each)).toEqual(used);
        expect(cache.size).toBe(used.length);
      }
    }),
  );
});
