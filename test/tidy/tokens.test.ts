import { expect, test } from 'vitest';
import { importsOf } from './imports.ts';
import { tokens } from './tokens.ts';

const words = (source: string): string[] =>
  tokens(source)
    .filter((token) => token.kind === 'word')
    .map((token) => token.text);

const named = (source: string): (string | undefined)[] => importsOf(tokens(source)).map((one) => one.specifier);

test('words in comments, strings, regular expressions and templates are not words of the code', () => {
  expect(
    words('a /* Date */ + "Date" // Date\n + \'it\\\'s Date\' + `Date \\` Date` + x.replace(/[/"`]Date/g, b)'),
  ).toEqual(['a', 'x', 'replace', 'b']);
});

test('code in the holes of a template is code, however deep', () => {
  expect(words('`a ${b + `c ${ {d: e}.f } g` + h} i` + j')).toEqual(['b', 'd', 'e', 'f', 'h', 'j']);
});

test('a slash after a value divides', () => {
  expect(words("a / b; c() / d; e[0] / f; return /g'/.test(h) ? '/' : i")).toEqual([
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'return',
    'test',
    'h',
    'i',
  ]);
});

test('lines are counted through comments, templates and long strings', () => {
  const all = tokens('/*\n\n*/ a\n`x\n${b}\n` + c');
  expect(all.filter((token) => token.kind === 'word').map((token) => [token.text, token.line])).toEqual([
    ['a', 3],
    ['b', 5],
    ['c', 6],
  ]);
});

test('depth tells the top level from what stands inside', () => {
  const all = tokens('let a = { b: [`${c}`] }; d');
  expect(all.filter((token) => token.kind === 'word').map((token) => [token.text, token.depth])).toEqual([
    ['let', 0],
    ['a', 0],
    ['b', 1],
    ['c', 3],
    ['d', 0],
  ]);
});

test.each([
  ["import { a, type B as C } from './a.ts';", './a.ts'],
  ["import type { A } from './a.ts';", './a.ts'],
  ["import * as a from './a.ts';", './a.ts'],
  ["import a, { b } from './a.ts';", './a.ts'],
  ["import data from './a.json' with { type: 'json' };", './a.json'],
  ["import './a.ts';", './a.ts'],
  ["export * from './a.ts';", './a.ts'],
  ["export type { A } from './a.ts';", './a.ts'],
  ["export {\n  a,\n  b,\n} from './a.ts';", './a.ts'],
  ["const a = await import('./a.ts');", './a.ts'],
  ["type A = import('./a.ts').B;", './a.ts'],
  ['const a = await import(`./a.ts`);', './a.ts'],
  ["const a = require('./a.ts');", './a.ts'],
])('the import is seen in %s', (source, specifier) => {
  expect(named(source)).toEqual([specifier]);
});

test.each(['await import(name)', 'await import(`./${name}.ts`)', "await import('./' + name)"])(
  'a module whose name is computed is seen as unknown: %s',
  (source) => {
    expect(named(source)).toEqual([undefined]);
  },
);

test.each([
  "export const a = 'x';",
  "export { a };\nconst b = 'from';",
  'const text = "import { a } from \'./a.ts\'";',
  "import.meta.url; f('x')",
  "export function f(from = './a.ts') {}",
  "house.import('./a.ts')",
])('nothing is imported by %s', (source) => {
  expect(named(source)).toEqual([]);
});

test('the names that an import takes are known, under the names of the module they come from', () => {
  expect(importsOf(tokens("import { a, type B as C, d } from 'node:x';"))[0]?.names).toEqual(['a', 'B', 'd']);
});
