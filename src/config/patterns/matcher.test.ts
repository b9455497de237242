import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CharacterSets } from './character-set.ts';
import { Matcher, type Outcome } from './matcher.ts';
import { programOf } from './matcher-program.ts';
import { readPattern } from './pattern-reader.ts';
import { scriptOf } from './pattern-script.ts';
import { emptyTurns, some } from './pattern-tree.ts';

function search(pattern: string, text: string): Outcome {
  const tree = readPattern(pattern, false);
  return new Matcher(programOf(tree, new CharacterSets(tree.ignoreCase))).search(text);
}

function groups(pattern: string, text: string): readonly (string | undefined)[] | string {
  const outcome = search(pattern, text);
  return outcome.kind === 'found' ? outcome.groups : outcome.kind;
}

const leaf = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  'c',
  '\\b',
  '^',
  '$',
  '\\Z',
  '\\z',
  '\\n',
  '🙂',
  'é',
  '\\R',
);
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    leaf,
    fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => one + other),
    fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(?:${one}|${other})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,3}?', '{2,}'))
      .map(([inner, times]) => `(?:${inner})${times}`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('(', '(?>', '(?=', '(?!', '(?<=', '(?<!'))
      .map(([inner, opening]) => `${opening}${inner})`),
  ),
}));
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', 'A', '\n', '\r\n', '🙂', 'é', ' '), { maxLength: 10 })
  .map((all) => all.join(''));

test('finds what the engine of JavaScript finds, at the same place', () => {
  let found = 0;
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (source, against, ignoreCase) => {
      const tree = readPattern(source, ignoreCase);
      // A turn that takes nothing counts in PCRE, and not in JavaScript; here an atomic group makes it final.
      fc.pre(!some(tree.root, (node) => node.kind === 'atomic' && emptyTurns(node)));
      const script = scriptOf(tree);
      const expected = new RegExp(script.source, script.flags).exec(against);
      // V8 finds what is empty also between the halves of an emoji.
      fc.pre(expected === null || !/[\ud800-\udbff]$/.test(against.slice(0, expected.index)));
      const actual = new Matcher(programOf(tree, new CharacterSets(ignoreCase))).search(against);
      if (expected === null) expect(actual.kind).toBe('nothing');
      else {
        found++;
        expect(actual).toMatchObject({ kind: 'found', index: expected.index });
        if (!emptyTurns(tree.root)) expect(actual.kind === 'found' && actual.groups[0]).toBe(expected[0]);
      }
    }),
    { numRuns: 20_000 },
  );
  expect(found).toBeGreaterThan(2000);
});

test('one matcher searches text after text', () => {
  const tree = readPattern('^(a|b)*c$', false);
  const matcher = new Matcher(programOf(tree, new CharacterSets(false)));
  for (let round = 0; round < 3; round++) {
    expect(matcher.search('ababc').kind).toBe('found');
    expect(matcher.search('abab').kind).toBe('nothing');
    expect(matcher.search(`${'ab'.repeat(500)}c`).kind).toBe('found');
  }
});

test.each([
  ['a group that took no part is nowhere, as in PCRE', '^(a)?\\1b', 'b', 'nothing'],
  ['a reference to what it captured', '(\\w+)\\.\\1', 'x.ab.ab', ['ab.ab', 'ab']],
  ['ways are tried until the reference fits', '^(a+)\\1$', 'aaaa', ['aaaa', 'aa']],
  ['a reference ignores case when the pattern does', '(?i)(a)\\1', 'aA', ['aA', 'a']],
  ['a loop keeps what a group held in an earlier turn', '^(?:(a)|b)*$', 'ab', ['ab', 'a']],
  ['a loop whose turn takes nothing is left', '^(?:(a?))*\\1$', 'aa', ['aa', '']],
  ['a turn that takes nothing ends the loop, as in PCRE', '(?>(?:a??)*)', 'a', ['']],
  ['a turn that takes nothing counts, as in PCRE', '(?>(?:a??|b){0,2})', 'a', ['']],
  ['a reference inside a lookbehind', '(a)x(?<=\\1x)', 'ax', ['ax', 'a']],
  ['a lookahead keeps its groups', '(?=(a+))a*b', 'aab', ['aab', 'aa']],
  ['a negative lookahead keeps none', '(?!(a)b)\\w(c)', 'ac', ['ac', undefined, 'c']],
  ['groups are given back with the way that set them', '(?:(a)b|ac)', 'ac', ['ac', undefined]],
  ['an atomic group gives its groups back when all of it fails', '(?:(?>(a))b|ac)', 'ac', ['ac', undefined]],
  ['groups behind an emoji', '🙂(.)', 'x🙂y', ['🙂y', 'y']],
])('%s', (_, source, against, expected) => {
  expect(groups(source, against)).toEqual(expected);
});

test.each([
  ['(a+)+$', `${'a'.repeat(200)}!`],
  ['^(?:a|aa|aaa)*$', `${'a'.repeat(250)}!`],
  ['^(\\w+\\s?)*$', `${'word '.repeat(50)}!`],
  ['^(([a-z0-9-])+.)+example\\.com$', `${'a'.repeat(250)}`],
  ['(.*.*.*.*.*.*)*x$', 'y'.repeat(255)],
  ['^(?!(a|aa)+$).*x', 'a'.repeat(255)],
  ['^(?:(?>(?:a|aa)+)|b)+$', `${'ab'.repeat(120)}c`],
])('%s is answered, where a backtracking engine would go on for years', (source, against) => {
  expect(search(source, against).kind).toBe('nothing');
});

test('where references make it hopeless, the matcher gives up', () => {
  expect(search('^(a*)*\\1(a*)*\\1(a*)*b$', 'a'.repeat(200)).kind).toBe('gave up');
});

test('a text too long for what can be remembered is given up, not remembered', () => {
  expect(search('(?:a|b){500}c', 'a'.repeat(10_000)).kind).toBe('gave up');
});
