import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ring } from './ring.ts';

test('a ring behaves as an array does', () => {
  const step = fc.constantFrom('push', 'push', 'push', 'unshift', 'shift', 'shift', 'peek', 'clear');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const ring = new Ring<number>();
      let model: number[] = [];
      let value = 0;
      for (const each of steps) {
        if (each === 'push') {
          ring.push(value);
          model.push(value++);
        } else if (each === 'unshift') {
          ring.unshift(value);
          model.unshift(value++);
        } else if (each === 'shift') expect(ring.shift()).toBe(model.shift());
        else if (each === 'peek') expect(ring.peek()).toBe(model[0]);
        else if (value % 7 === 0) {
          ring.clear();
          model = [];
        }
        expect(ring.length).toBe(model.length);
        expect([...ring]).toEqual(model);
      }
    }),
  );
});

test('a burst of a million goes through in order', () => {
  const ring = new Ring<number>();
  for (let value = 0; value < 1_000_000; value++) ring.push(value);
  let right = 0;
  for (let value = 0; value < 1_000_000; value++) if (ring.shift() === value) right++;
  expect(right).toBe(1_000_000);
  expect(ring.shift()).toBeUndefined();
});
