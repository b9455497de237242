import { expect, test } from 'vitest';
import { NodeChance } from './chance.ts';

test('numbers are spread over their whole range and stay in it', () => {
  const chance = new NodeChance();
  const seen = new Array<number>(10).fill(0);
  for (let round = 0; round < 20_000; round++) {
    const number = chance.next();
    expect(number >= 0 && number < 1).toBe(true);
    const index = chance.below(10);
    seen[index] = (seen[index] ?? 0) + 1;
  }
  // Ten standard deviations around 2,000: fails by chance less often than the machine.
  for (const count of seen) expect(Math.abs(count - 2000)).toBeLessThan(430);
});

test('a range above 32 bits is covered, an empty one refused', () => {
  const chance = new NodeChance();
  expect(chance.below(1)).toBe(0);
  const far = Array.from({ length: 50 }, () => chance.below(2 ** 50));
  expect(Math.max(...far)).toBeGreaterThan(2 ** 40);
  expect(far.every(Number.isSafeInteger)).toBe(true);
  expect(() => chance.below(0)).toThrow(RangeError);
  expect(() => chance.below(Number.NaN)).toThrow(RangeError);
});

test('bytes come in the number asked for', () => {
  expect(new NodeChance().bytes(33)).toHaveLength(33);
});
