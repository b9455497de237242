import { expect, test } from 'vitest';
import { SimChance } from './chance.ts';

test('the same seed gives the same numbers, another one others', () => {
  const draw = (seed: number): number[] => {
    const chance = new SimChance(seed);
    return [chance.next(), chance.below(1000), ...chance.bytes(4), chance.fork().next()];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(draw(0)).not.toEqual(draw(2 ** 32));
});

test('numbers are spread evenly', () => {
  const chance = new SimChance(1);
  const seen = new Array<number>(10).fill(0);
  for (let round = 0; round < 20_000; round++) {
    const index = chance.below(10);
    seen[index] = (seen[index] ?? 0) + 1;
  }
  for (const count of seen) expect(Math.abs(count - 2000)).toBeLessThan(250);
  expect(() => chance.below(0)).toThrow(RangeError);
});
