import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coveragePage, page } from '../scripts/coverage.ts';

test('docs/coverage.md tells what is implemented, and nothing else (node scripts/coverage.ts makes it)', () => {
  expect(readFileSync(page, 'utf8')).toBe(coveragePage());
});
