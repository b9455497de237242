import { spawn } from 'node:child_process';
import { copyWith } from './apply.ts';
import type { Mutant } from './mutants.ts';

/** What a simulation has found. */
export interface Find {
  readonly seed: number;
  /** The rule, and what was seen. */
  readonly what: string;
}

/** Simulates the mutant from its known seed on, then from the first one, until it is found. */
export async function hunt(mutant: Mutant, seeds: number): Promise<Find | undefined> {
  using copy = copyWith(mutant);
  return (
    (await run(copy.script, ['--seed', String(mutant.seed)])) ??
    (await run(copy.script, ['--seeds', String(seeds), '--first']))
  );
}

function run(script: string, words: readonly string[]): Promise<Find | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const found = /^seed (\d+) breaks ([^\n]*)/m.exec(said);
      if (found !== null) resolve({ seed: Number(found[1]), what: found[2] ?? '' });
      else if (code === 0) resolve(undefined);
      else reject(new Error(`the simulation of a mutant ended with ${code}: ${said.slice(-2000)}`));
    });
  });
}
