import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { optionsPage, page } from '../scripts/options.ts';

test('docs/options.md names every option that some code reads, and no other (node scripts/options.ts makes it)', () => {
  expect(readFileSync(page, 'utf8')).toBe(optionsPage());
});
