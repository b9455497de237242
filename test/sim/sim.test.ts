import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { simulate } from './simulation.ts';

/** IMPETUS_SIM_SEEDS=20 npm test: fewer, while something else is being worked on. */
const SEEDS = process.env.IMPETUS_SIM_SEEDS ?? '500';
const SCRIPT = join(import.meta.dirname, '../../scripts/sim.ts');

test(`the server keeps its promises in ${SEEDS} simulated worlds`, { timeout: 600_000 }, () => {
  const run = spawnSync(process.execPath, [SCRIPT, '--seeds', SEEDS, '--jobs', '2'], { encoding: 'utf8' });
  // What was broken, and how to replay it, stands in what the script says.
  expect(`${run.stdout}${run.stderr}`).toMatch(new RegExp(`^${SEEDS} seeds, 0 failed, `));
  expect(run.status).toBe(0);
});

test.each([7, 23, 45])('seed %i gives the same journal twice, byte for byte', { timeout: 60_000 }, async (seed) => {
  const [one, other] = [await simulate(seed), await simulate(seed)];
  expect(one.journal.lines.length).toBeGreaterThan(50);
  expect(other.journal.lines).toEqual(one.journal.lines);
  expect(other.figures).toEqual(one.figures);
});

test('another process writes the same journal', { timeout: 60_000 }, async () => {
  const here = await simulate(23);
  const run = spawnSync(process.execPath, [SCRIPT, '--seed', '23'], { encoding: 'utf8' });
  expect(run.stdout).toContain(`; ${here.journal.lines.length} lines, ${here.journal.digest.slice(0, 16)}\n`);
});

test('a simulation that breaks a rule says its seed, the rule, and how to replay it', { timeout: 60_000 }, async () => {
  const { hunt } = await import('./mutants/hunt.ts');
  const { mutantNamed } = await import('./mutants/apply.ts');
  const found = await hunt(mutantNamed('a retry is not counted'), 20);
  expect(found?.what).toMatch(/^retries: /);
});
