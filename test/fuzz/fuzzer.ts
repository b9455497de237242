import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimChance } from '../../src/world/sim/index.ts';
import { Dice } from '../sim/dice.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

export interface Finding {
  readonly target: string;
  /** The smallest input that was found to break the same rule. */
  readonly input: Buffer;
  readonly what: string;
}

/** Milliseconds of processor time that any input may take, and for each of its bytes: it is fed three times, once byte by byte. */
const BASE_MILLIS = 100;
const MILLIS_A_BYTE = 0.005;
/** Inputs that are tried to make a finding smaller, and milliseconds that this may take: one that is slow is slow each time. */
const MOST_STEPS = 3000;
const MOST_MILLIS = 20_000;
/** Inputs that mutations begin with or take parts from. */
const POOL = 64;

export interface Effort {
  readonly seed: number;
  /** Inputs at most. */
  readonly runs: number;
  /** Milliseconds after which it ends in any case. */
  readonly most: number;
  /** Told of every so many inputs. */
  readonly progress?: (runs: number) => void;
}

/** Tries inputs until one is a finding, or the effort is spent. @returns what was found, and how many were tried */
export async function fuzz(
  target: FuzzTarget,
  { seed, runs, most, progress }: Effort,
): Promise<{ readonly runs: number; readonly finding: Finding | undefined }> {
  const dice = new Dice(new SimChance(seed));
  const pool = corpusOf(target.name).map(({ input }) => input);
  const ends = performance.now() + most;
  let tried = 0;
  for (; tried < runs && performance.now() < ends; tried++) {
    const made = pool.length === 0 || dice.happens(0.4) ? target.generate(dice) : dice.of(pool);
    const input = dice.happens(0.15) ? made : mutate(made, dice, target.words, pool);
    const what = await broken(target, input);
    if (what !== undefined) return { runs: tried + 1, finding: await minimised(target, input, what) };
    if (pool.length < POOL) pool.push(input);
    else if (dice.happens(0.05)) pool[dice.between(0, POOL - 1)] = input;
    if (tried % 100 === 99) progress?.(tried + 1);
  }
  return { runs: tried, finding: undefined };
}

/** @returns the rule that an input breaks; undefined: none */
export async function broken(target: FuzzTarget, input: Buffer): Promise<string | undefined> {
  const most = BASE_MILLIS + input.length * MILLIS_A_BYTE;
  let least = Number.POSITIVE_INFINITY;
  // Compiling and collecting are slow once; code that is slow is slow each time.
  for (let attempt = 0; attempt < 4; attempt++) {
    const began = process.cpuUsage();
    const what = await outcome(target, input);
    if (what !== undefined) return what;
    const { user, system } = process.cpuUsage(began);
    least = Math.min(least, (user + system) / 1000);
    if (least <= most) return undefined;
  }
  return `slow: ${least.toFixed(0)} ms for ${input.length} bytes`;
}

async function outcome(target: FuzzTarget, input: Buffer): Promise<string | undefined> {
  try {
    const said = target.check(Buffer.from(input));
    return said instanceof Promise ? await said : said;
  } catch (error) {
    return error instanceof Error
      ? `it threw ${(error.stack ?? error.message).split('\n').slice(0, 3).join(' ')}`
      : `it threw ${error}`;
  }
}

/** What two findings must have in common to be the same. */
const kindOf = (what: string): string => what.replace(/[0-9]+/g, '#').slice(0, 24);

/** Leaves out pieces, large ones first, as long as the same rule is broken. */
async function minimised(target: FuzzTarget, input: Buffer, what: string): Promise<Finding> {
  const kind = kindOf(what);
  let best = { target: target.name, input, what };
  let steps = 0;
  const ends = performance.now() + MOST_MILLIS;
  const goesOn = (): boolean => steps < MOST_STEPS && performance.now() < ends;
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.input.length && goesOn(); steps++) {
      const smaller = Buffer.concat([best.input.subarray(0, at), best.input.subarray(at + size)]);
      const still = await broken(target, smaller);
      if (still !== undefined && kindOf(still) === kind) best = { target: target.name, input: smaller, what: still };
      else at += size;
    }
  }
  for (let at = 0; at < best.input.length && goesOn(); at++, steps++) {
    if (best.input[at] === A) continue;
    const plainer = Buffer.from(best.input);
    plainer[at] = A;
    const still = await broken(target, plainer);
    if (still !== undefined && kindOf(still) === kind) best = { target: target.name, input: plainer, what: still };
  }
  return best;
}

const A = 0x61;
const corpus = join(import.meta.dirname, 'corpus');

/** Inputs that are kept: examples, and everything that was once a finding. */
export function corpusOf(target: string): readonly { readonly file: string; readonly input: Buffer }[] {
  const folder = join(corpus, target);
  let names: readonly string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return [];
  }
  return names.map((name) => ({ file: join(folder, name), input: readFileSync(join(folder, name)) }));
}

/** @returns where it lies from now on: every test run tries it again */
export function keep({ target, input }: Finding): string {
  const folder = join(corpus, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(file, input);
  return file;
}
