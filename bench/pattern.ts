/**
 * What does a regular expression of an operator cost? Run: node bench/pattern.ts
 *
 * Harmless patterns run on V8's engine, others on our own matcher; a hopeless one is given up after a million steps.
 * 0.1 µs, 6 µs (45 µs for a name that was made to hurt) and 11 ms on a core of a small machine (2026-11-25, Node 24).
 */
import { compilePattern } from '../src/config/patterns/pattern.ts';
import { best, shown } from './config/figures.ts';
import { introduce } from './load/machine.ts';

introduce('pattern: searching one name, and compiling');
const names = Array.from({ length: 1000 }, (_, index) => `mx${index}.mail-${index % 7}.some-domain.example.com`);
const cases: readonly (readonly [string, string, readonly string[], number])[] = [
  ['harmless, usual names', '^(.*\\.)?yahoo\\.(com|co\\.[a-z]{2})$', names, 100],
  ['the same as a raw RegExp', '', names, 100],
  ['by the matcher, usual names', '^([a-z0-9-]+\\.?)+\\.(net|org)$', names, 5],
  ['by the matcher, a name of 250 characters made to hurt', '^(a+)+$', [`${'a'.repeat(250)}!`], 100],
  ['four .* in a row, a name of 250 characters', '.*a.*b.*c.*d', ['abc'.repeat(84)], 20],
  ['given up', '^(a*)*\\1(a*)*\\1(a*)*b$', ['a'.repeat(200)], 2],
];
let found = 0;
for (const [what, source, texts, rounds] of cases) {
  const pattern =
    source === '' ? /^(?:.*\.)?yahoo\.(?:com|co\.[a-z]{2})$/iu : compilePattern(source, { ignoreCase: true });
  const each = best(5, rounds * texts.length, () => {
    for (let round = 0; round < rounds; round++) for (const text of texts) if (pattern.test(text)) found++;
  });
  console.log(`${what.padEnd(60)} ${shown(each * 1000).padStart(8)} µs`);
}
const compiled = best(5, 1000, () => {
  for (let index = 0; index < 1000; index++) compilePattern(`^(.*\\.)?d${index}\\.(com|co\\.[a-z]{2})$`).judge();
});
console.log(`${'compiling and judging one'.padEnd(60)} ${shown(compiled * 1000).padStart(8)} µs  (${found})`);
