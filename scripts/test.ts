/**
 * `npm test [-- FILTER …]`: types, format, lint, then the tests. Everything is run even when something fails, so that
 * one run tells all; the exit code is 0 only when all of it passed. The last line reads `N passed, N failed`, the
 * checks counted with the tests.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import type { TestModule } from 'vitest/node';

interface Check {
  readonly name: string;
  readonly program: readonly string[];
}

const checks: readonly Check[] = [
  { name: 'types', program: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json'] },
  { name: 'format and lint', program: ['node_modules/@biomejs/biome/bin/biome', 'check', '--diagnostic-level=error'] },
  { name: 'promises', program: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'] },
];

// Tools of tools start `node` by that name: they must find the one that runs us, not an old one of the machine.
process.env.PATH = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
// A production machine may run the tests too.
delete process.env.NODE_ENV;

const failed = checks.filter((check) => !passes(check));
const tests = await runTests(process.argv.slice(2));
if (failed.length > 0)
  console.log(`Failed before the tests: ${failed.map((check) => check.name).join(', ')} (see above)\n`);
console.log(`${tests.passed + checks.length - failed.length} passed, ${tests.failed + failed.length} failed`);
// Whatever a test left open must not keep a finished run from ending.
process.exit(tests.failed + failed.length === 0 && tests.passed > 0 ? 0 : 1);

/** Runs one check; its output is shown only when it has something to say. */
function passes(check: Check): boolean {
  const began = performance.now();
  const run = spawnSync(process.execPath, check.program, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const ok = run.status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${check.name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${run.stdout}${run.stderr}${run.error?.message ?? ''}`);
  return ok;
}

/** Runs vitest in this process. A file that cannot be loaded and an error outside any test count as one failure each. */
async function runTests(filters: readonly string[]): Promise<{ readonly passed: number; readonly failed: number }> {
  const { startVitest } = await import('vitest/node');
  const count = { passed: 0, failed: 0 };
  const onTestRunEnd = (modules: readonly TestModule[], errors: readonly unknown[]): void => {
    count.failed += errors.length;
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed++;
        else if (state !== 'skipped') count.failed++;
      }
    }
  };
  const vitest = await startVitest('test', [...filters], {
    run: true,
    watch: false,
    reporters: ['default', { onTestRunEnd }],
  });
  await vitest.close();
  return count;
}
