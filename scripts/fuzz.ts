/**
 * `npm run fuzz -- [TARGET …] [--seconds N] [--seed S] [--input FILE]`: inputs by a seed against every parser that strangers
 * feed, or against those that are named. What is found is made small, saved in test/fuzz/corpus, and tried by every test
 * run from then on. `--input` tries one file. Exit code 1 when something was found.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { broken, fuzz, keep } from '../test/fuzz/fuzzer.ts';
import type { FuzzTarget } from '../test/fuzz/target.ts';
import { targets } from '../test/fuzz/targets.ts';

const usage = 'npm run fuzz -- [TARGET …] [--seconds N] [--seed S] [--input FILE]';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string' },
    input: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`${usage}\n\nTargets:\n${targets.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`).join('\n')}`);
  process.exit(0);
}

const unknown = positionals.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) refuse(`no target ${unknown}; there are ${targets.map(({ name }) => name).join(', ')}`);
const seconds = number('seconds', values.seconds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : number('seed', values.seed);
const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
let found = 0;

for (const [index, target] of chosen.entries()) {
  if (values.input === undefined) await attack(target, index);
  else await replay(target, values.input);
}
console.log(found === 0 ? 'nothing found' : `${found} found`);
process.exitCode = found === 0 ? 0 : 1;

async function attack(target: FuzzTarget, index: number): Promise<void> {
  const began = performance.now();
  const left = (): string => {
    const spent = (performance.now() - began) / 1000;
    return `${Math.max(0, Math.ceil(seconds - spent + (chosen.length - index - 1) * seconds))} s to go`;
  };
  const progress = (runs: number): void => {
    if (!process.stdout.isTTY) return;
    const rate = (runs * 1000) / (performance.now() - began);
    process.stdout.write(
      `\r\x1b[K[${index + 1}/${chosen.length}] ${target.name}: ${runs} inputs, ${rate.toFixed(0)}/s, ${left()}`,
    );
  };
  const { runs, finding } = await fuzz(target, {
    seed,
    runs: Number.POSITIVE_INFINITY,
    most: seconds * 1000,
    progress,
  });
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  console.log(`${target.name}: ${runs} inputs, seed ${seed}${finding === undefined ? '' : ', FOUND'}`);
  if (finding === undefined) return;
  found++;
  const file = relative(process.cwd(), keep(finding));
  console.log(`  ${finding.what}\n  ${JSON.stringify(finding.input.toString('latin1').slice(0, 500))}`);
  console.log(`  saved: ${file}\n  again: npm run fuzz -- ${target.name} --input ${file}`);
}

async function replay(target: FuzzTarget, file: string): Promise<void> {
  const what = await broken(target, readFileSync(file));
  if (what !== undefined) found++;
  console.log(`${target.name}: ${what ?? 'no rule is broken'}`);
}

function number(name: string, text: string): number {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : refuse(`--${name} takes a number`);
}

function refuse(text: string): never {
  console.error(`fuzz: ${text}\n${usage}`);
  process.exit(2);
}
