import { expect, test } from 'vitest';
import { connectionGoal } from './goal.ts';

test.each([
  [0, 32, 0],
  [1, 32, 1],
  [10, 32, 3],
  [100, 32, 20],
  [400, 32, 32],
  [1000, 0, 0],
  [3, 1, 1],
])('%i active messages under a cap of %i want %i connections', (queued, cap, wanted) => {
  expect(connectionGoal(queued, cap, 'normal')).toBe(wanted);
});

test('high aggressiveness opens more connections for the same queue', () => {
  expect(connectionGoal(40, 32, 'high')).toBeGreaterThan(connectionGoal(40, 32, 'normal'));
});

test('without a cap the queue alone decides, and never more connections than messages', () => {
  expect(connectionGoal(5, -1, 'high')).toBeLessThanOrEqual(5);
  expect(connectionGoal(100_000, -1, 'high')).toBe(1000);
});
