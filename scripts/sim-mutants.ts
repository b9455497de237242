/**
 * `npm run sim:mutants [-- PART-OF-A-NAME] [--seeds N] [--write]`: deliberate faults, one by one, in a copy of the
 * sources; the simulation must find each of them. `--write` keeps the seeds that found them. Exit code 0 when all were
 * found.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hunt } from '../test/sim/mutants/hunt.ts';
import { MUTANTS, type Mutant } from '../test/sim/mutants/mutants.ts';

const LIST = join(import.meta.dirname, '../test/sim/mutants/mutants.ts');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '500' }, write: { type: 'boolean', default: false } },
});
const wanted = MUTANTS.filter((mutant) => positionals.every((part) => mutant.name.includes(part)));
let missed = 0;
for (const mutant of wanted) {
  const began = performance.now();
  const found = await hunt(mutant, Number(values.seeds));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (found === undefined) missed++;
  else if (values.write) keep(mutant, found.seed);
  const where = found === undefined ? 'NOT FOUND' : `seed ${found.seed}, ${found.what}`;
  console.log(`${mutant.name}: ${where} (${seconds} s)`);
}
console.log(`${wanted.length - missed} of ${wanted.length} found`);
if (missed > 0) process.exitCode = 1;

/** Writes the seed into the list. */
function keep({ name }: Mutant, seed: number): void {
  const text = readFileSync(LIST, 'utf8');
  const at = text.indexOf(`name: '${name}'`);
  const head = text.slice(0, at);
  writeFileSync(LIST, `${head}${text.slice(at).replace(/seed: \d+/, `seed: ${seed}`)}`);
}
