import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTANTS, type Mutant } from './mutants.ts';

const TOP = join(import.meta.dirname, '../../..');

/** A copy of the sources with one fault in it, ready to be simulated. Dispose it to take it away. */
export interface MutantCopy extends Disposable {
  /** `scripts/sim.ts` of the copy. */
  readonly script: string;
}

/** @throws Error when the text to be replaced does not stand in its file exactly once */
export function copyWith(mutant: Mutant): MutantCopy {
  const folder = mkdtempSync(join(tmpdir(), 'impetus-mutant-'));
  for (const name of ['src', 'test/sim', 'scripts/sim.ts', 'package.json'])
    cpSync(join(TOP, name), join(folder, name), { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
  symlinkSync(join(TOP, 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, mutant.file);
  writeFileSync(file, mutated(readFileSync(file, 'utf8'), mutant));
  return {
    script: join(folder, 'scripts/sim.ts'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** @returns the text with the fault in it */
export function mutated(text: string, { name, file, find, replace }: Mutant): string {
  const found = [...text.matchAll(new RegExp(asPattern(find), 'g'))];
  const [only] = found;
  if (found.length !== 1 || only === undefined)
    throw new Error(`${file} has ${found.length} places for the mutant '${name}', not one`);
  return `${text.slice(0, only.index)}${replace}${text.slice(only.index + only[0].length)}`;
}

/** Matches the same tokens, however a formatter has broken and indented them. */
function asPattern(code: string): string {
  const tokens = code.match(/\w+|[^\s\w]/g) ?? [];
  return tokens
    .map((token, index) => {
      const escaped = token.replace(/[^\w]/g, '\\$&');
      // A list that was broken into lines has a comma behind its last item.
      return index > 0 && /[)\]}]/.test(token) ? `,?\\s*${escaped}` : escaped;
    })
    .join('\\s*');
}

/** @throws Error when there is no such mutant */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called '${name}'`);
  return mutant;
}
