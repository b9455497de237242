import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimerHeap } from './timer-heap.ts';

test('timers come out by due time, then in the order they were added', () => {
  const heap = new TimerHeap();
  const ran: string[] = [];
  for (const [due, name] of [
    [5, 'a'],
    [1, 'b'],
    [5, 'c'],
    [0, 'd'],
    [1, 'e'],
  ] as const)
    heap.add(due, () => ran.push(name));
  for (let run = heap.take(5); run; run = heap.take(5)) run();
  expect(ran.join('')).toBe('dbeac');
  expect(heap.size).toBe(0);
  expect(heap.nextDue()).toBeUndefined();
});

test('nothing is taken before its time', () => {
  const heap = new TimerHeap();
  heap.add(10, () => undefined);
  expect(heap.take(9.9)).toBeUndefined();
  expect(heap.nextDue()).toBe(10);
});

test('a timer may be cancelled early, late and twice', () => {
  const heap = new TimerHeap();
  const one = heap.add(1, () => undefined);
  const two = heap.add(2, () => undefined);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  expect(heap.size).toBe(1);
  expect(heap.nextDue()).toBe(2);
  heap.take(2);
  two[Symbol.dispose]();
  expect(heap.size).toBe(0);
  expect(heap.nextDue()).toBeUndefined();
});

test('whatever is added and cancelled, what is left comes out in order', () => {
  const step = fc.oneof(
    fc.nat(50).map((due) => ({ add: due })),
    fc.nat(300).map((which) => ({ cancel: which })),
    fc.nat(50).map((now) => ({ take: now })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const heap = new TimerHeap();
      const handles: Disposable[] = [];
      let model: { due: number; index: number }[] = [];
      let ran = -1;
      for (const each of steps) {
        if ('add' in each) {
          const index = handles.length;
          handles.push(
            heap.add(each.add, () => {
              ran = index;
            }),
          );
          model.push({ due: each.add, index });
        } else if ('cancel' in each) {
          handles[each.cancel]?.[Symbol.dispose]();
          model = model.filter((entry) => entry.index !== each.cancel);
        } else {
          model.sort((one, other) => one.due - other.due || one.index - other.index);
          const first = model[0];
          const run = heap.take(each.take);
          if (first && first.due <= each.take) {
            run?.();
            expect(ran).toBe(first.index);
            model.shift();
          } else expect(run).toBeUndefined();
        }
        expect(heap.size).toBe(model.length);
      }
    }),
  );
});

test('a hundred thousand cancelled timers leave nothing behind', () => {
  const heap = new TimerHeap();
  const kept = heap.add(1e9, () => undefined);
  for (let index = 0; index < 100_000; index++) heap.add(index, () => undefined)[Symbol.dispose]();
  expect(heap.size).toBe(1);
  expect(heap.nextDue()).toBe(1e9);
  kept[Symbol.dispose]();
  expect(heap.nextDue()).toBeUndefined();
});
