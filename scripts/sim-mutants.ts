/**
 * `npm run sim:mutants [-- PART-OF-A-NAME] [--seeds N]`: deliberate faults, one by one, in a copy of the sources; the
 * simulation must find each of them. Exit code 0 when all were found.
 */
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/sim/mutants/mutants.ts';
import { hunt } from '../test/sim/mutants/hunt.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '500' } },
});
const wanted = MUTANTS.filter((mutant) => positionals.every((part) => mutant.name.includes(part)));
let missed = 0;
for (const mutant of wanted) {
  const began = performance.now();
  const found = await hunt(mutant, Number(values.seeds));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (found === undefined) missed++;
  const where = found === undefined ? 'NOT FOUND' : `seed ${found.seed}, ${found.what}`;
  console.log(`${mutant.name}: ${where} (${seconds} s)`);
}
console.log(`${wanted.length - missed} of ${wanted.length} found`);
if (missed > 0) process.exitCode = 1;
