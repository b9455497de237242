import { expect, test } from 'vitest';
import { mutated } from './mutants/apply.ts';
import { hunt } from './mutants/hunt.ts';
import { MUTANTS } from './mutants/mutants.ts';

/** A change of the product moves its seeds about; then the fault is looked for in this many. */
const SEEDS = 500;

test.each(MUTANTS)('the simulation finds it when $name', { timeout: 300_000 }, async (mutant) => {
  expect(await hunt(mutant, SEEDS)).toBeDefined();
});

test('a fault is put where its text stands, however that is laid out, and nowhere else', () => {
  const mutant = { name: 'x', file: 'x.ts', find: 'f(a, [b]);', replace: 'g();', seed: 1 };
  expect(mutated('before f(\n  a,\n  [b],\n);\nbehind', mutant)).toBe('before g();\nbehind');
  expect(() => mutated('f(a, [c]);', mutant)).toThrow(/0 places/);
  expect(() => mutated('f(a, [b]); f(a,[b]);', mutant)).toThrow(/2 places/);
});
