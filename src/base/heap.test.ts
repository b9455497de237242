import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

interface Item {
  rank: number;
  position: number;
}

test('items know their place through pushes, pops, removals and changes of rank', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.nat(100).map((rank) => ({ push: rank })) },
    { weight: 1, arbitrary: fc.constant({ pop: true }) },
    { weight: 1, arbitrary: fc.nat(200).map((which) => ({ remove: which })) },
    { weight: 1, arbitrary: fc.tuple(fc.nat(200), fc.nat(100)).map(([which, rank]) => ({ which, rank })) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const heap = new Heap<Item>(
        (one, other) => one.rank < other.rank,
        (item, position) => {
          item.position = position;
        },
      );
      const inside: Item[] = [];
      for (const each of steps) {
        if ('push' in each) {
          const item = { rank: each.push, position: -1 };
          heap.push(item);
          inside.push(item);
        } else if ('pop' in each) {
          const item = heap.pop();
          expect(item?.rank).toBe(inside.length === 0 ? undefined : Math.min(...inside.map((other) => other.rank)));
          if (item) inside.splice(inside.indexOf(item), 1);
        } else if ('remove' in each) {
          const item = inside[each.remove];
          if (!item) continue;
          expect(heap.remove(item.position)).toBe(item);
          expect(item.position).toBe(-1);
          inside.splice(each.remove, 1);
        } else {
          const item = inside[each.which];
          if (!item) continue;
          item.rank = each.rank;
          heap.update(item.position);
        }
        expect(heap.size).toBe(inside.length);
        expect(inside.every((item) => [...heap][item.position] === item)).toBe(true);
      }
      const out: number[] = [];
      for (let item = heap.pop(); item; item = heap.pop()) out.push(item.rank);
      expect(out).toEqual(inside.map((item) => item.rank).toSorted((one, other) => one - other));
    }),
  );
});

test('a position where nothing is, is refused', () => {
  const heap = new Heap<number>((one, other) => one < other);
  expect(() => heap.remove(0)).toThrow(RangeError);
  expect(() => heap.update(-1)).toThrow(RangeError);
  expect(heap.pop()).toBeUndefined();
});

test('clearing tells every item that it has left', () => {
  const heap = new Heap<Item>(
    (one, other) => one.rank < other.rank,
    (item, position) => {
      item.position = position;
    },
  );
  const items = [3, 1, 2].map((rank) => ({ rank, position: 0 }));
  for (const item of items) heap.push(item);
  heap.clear();
  expect(heap.size).toBe(0);
  expect(items.map((item) => item.position)).toEqual([-1, -1, -1]);
});
