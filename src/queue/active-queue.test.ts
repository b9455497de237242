import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ActiveQueue } from './active-queue.ts';
import type { QueueItem } from './item.ts';

/** All that the queue looks at. */
const item = (name: number): QueueItem => ({ place: 'gone', inRing: false, recipient: name }) as QueueItem;
const names = (items: Iterable<QueueItem>): number[] => [...items].map((each) => each.recipient);

test('first in, first out; what is given back stands before all others', () => {
  const queue = new ActiveQueue();
  const items = [0, 1, 2].map(item);
  for (const each of items) queue.add(each, false);
  const first = queue.shift();
  expect([first?.recipient, first?.place, queue.size]).toEqual([0, 'gone', 2]);
  if (first !== undefined) queue.add(first, true);
  expect(names(queue)).toEqual([0, 1, 2]);
});

test('an item that was taken from the middle never comes up, and one that came back comes up once', () => {
  const queue = new ActiveQueue();
  const [a, b, c] = [0, 1, 2].map(item);
  for (const each of [a, b, c]) if (each !== undefined) queue.add(each, false);
  if (a !== undefined) queue.remove(a);
  if (b !== undefined) {
    queue.remove(b);
    queue.add(b, false);
  }
  expect([names(queue), queue.size]).toEqual([[1, 2], 2]);
  expect([queue.peek()?.recipient, queue.shift()?.recipient, queue.shift()?.recipient, queue.shift()]).toEqual([
    1,
    1,
    2,
    undefined,
  ]);
});

test('a queue that nobody takes from does not grow with what is taken out of its middle', () => {
  const queue = new ActiveQueue();
  const stays = item(-1);
  queue.add(stays, false);
  for (let i = 0; i < 10_000; i++) {
    const each = item(i);
    queue.add(each, false);
    queue.remove(each);
    expect(queue.entries).toBeLessThan(70);
  }
  expect(names(queue)).toEqual([-1]);
});

test('taking all of a large queue out of its middle costs little', () => {
  const queue = new ActiveQueue();
  const items = Array.from({ length: 100_000 }, (_, i) => item(i));
  for (const each of items) queue.add(each, false);
  for (const each of items) queue.remove(each);
  expect([queue.size, queue.shift()]).toEqual([0, undefined]);
});

test('whatever is done to it, it is a list from which some items were taken', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), first: fc.boolean() }),
    fc.record({ kind: fc.constant('shift' as const) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(1000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const queue = new ActiveQueue();
      const model: QueueItem[] = [];
      let name = 0;
      for (const each of steps) {
        if (each.kind === 'add') {
          const fresh = item(name++);
          queue.add(fresh, each.first);
          if (each.first) model.unshift(fresh);
          else model.push(fresh);
        } else if (each.kind === 'shift') expect(queue.shift()).toBe(model.shift());
        else if (model.length > 0) {
          const [gone] = model.splice(each.at % model.length, 1);
          if (gone !== undefined) queue.remove(gone);
        }
        expect(queue.size).toBe(model.length);
      }
      expect(names(queue)).toEqual(names(model));
    }),
  );
});
