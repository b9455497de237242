import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ValueError } from '../option.ts';
import { compilePattern } from './pattern.ts';

test.each<[string, string, readonly string[], readonly string[]]>([
  ['searched, not anchored', 'b+', ['abbc'], ['ac']],
  ['anchors', '^a.c$', ['abc', 'abc\n'], ['xabc', 'abcd', 'a\nc']],
  ['absolute anchors', '\\Aa\\z', ['a'], ['a\n', 'ba']],
  ['\\Z before a last newline', 'a\\Z', ['a', 'a\n'], ['a\n\n']],
  ['(?i) at the start', '(?i)abc', ['xABCx'], ['ab']],
  ['(?s) at the start', '(?s)a.c', ['a\nc'], ['ac']],
  ['(?m) at the start', '(?m)^b$', ['a\nb\nc'], ['ab']],
  ['(?x) with blanks and comments', '(?x) a b # c\n [ ] d', ['ab d'], ['abd']],
  ['an atomic group gives nothing back', '(?>a+)ab', ['x'].slice(1), ['aaab']],
  ['an atomic group that matches', 'x(?>a|ab)c', ['xac'], ['xabc']],
  ['groups keep their numbers beside an atomic one', '(?>(x))(y)\\1\\2', ['xyxy'], ['xyyx']],
  ['an atomic group with a quantifier', '^(?>ab)*$', ['abab'], ['aba']],
  ['named groups of all spellings', "(?P<a>x)(?<b>y)(?'c'z)(?P=a)\\k{b}\\k<c>", ['xyzxyz'], ['xyzzyx']],
  ['relative references', '(a)(b)\\g{-1}\\g{1}', ['abba'], ['abab']],
  ['a reference before a digit', '(a)\\g{1}1', ['aa1'], ['aa']],
  ['comments', 'a(?#no)b', ['ab'], ['a#b']],
  ['lookaround', '(?<=a)b(?!c)', ['ab'], ['abc', 'b']],
  ['\\Q…\\E', '\\Qa.b[\\E+', ['a.b[[['], ['axb[']],
  ['literal braces and brackets', 'a{b}]', ['a{b}]'], ['ab']],
  ['classes', '[]a-c^\\]-]', [']', 'b', '^', '-'], ['d']],
  ['negated class', '^[^]]$', ['a'], [']']],
  ['POSIX classes', '^[[:alpha:]_[:digit:]]+$', ['a_1'], ['-']],
  ['a hyphen behind a class', '^[\\w-.]+$', ['a-.'], ['+']],
  ['horizontal and vertical blanks', 'a\\hb\\Rc', ['a b\r\nc', 'a\tb\nc'], ['a\nbc']],
  ['code points', '\\x41\\x{1F642}\\o{102}\\103\\e', ['A🙂BC\x1b'], ['A']],
  ['escaped punctuation', '\\-\\_\\ \\@\\/', ['-_ @/'], ['-']],
  ['properties', '^\\p{Lu}\\P{L}\\pN$', ['É-5'], ['a-5']],
  ['\\s is ASCII, also in classes', '^[\\s]\\s$', ['\t ', '\v\f'], ['\u00a0 ', ' \u2003']],
  ['\\S is all the rest, also in classes', '^[\\S]\\S$', ['\u00a0x'], ['a ', '\t.']],
  ['a hyphen before and behind a class', '^[\\s-a][a-\\d]$', ['-a', 'a-', ' 5'], ['bb']],
  ['a hyphen behind a range', '^[a-c-e]$', ['a', '-', 'e'], ['d']],
  ['repetitions of repetitions', '^a{2}{2}$', ['aaaa'], ['aa', 'aaa']],
  ['(?x) with a blank before a quantifier', '(?x) ^ a +  # as many\n $', ['aaa'], ['a+']],
  ['(?m) knows no newline but \\n', '(?m)^b$', ['a\nb'], ['a\rb', 'a\u2028b']],
  ['(?m)^ not behind the last newline', '(?m)a\n^', ['a\nb'], ['a\n']],
  ['a reference to a group that took no part fails', '^(a)?b\\1$', ['aba'], ['b']],
  ['an atomic group in a lookbehind', '(?<=(?>a|b))c', ['ac', 'bc'], ['c']],
  ['a lookaround with a quantifier', '^(?=a)*(?:b|a)$', ['a', 'b'], ['c']],
  ['octal, not a reference', 'a\\12', ['a\n'], ['a12']],
])('%s', (_, pattern, matching, other) => {
  const regex = compilePattern(pattern);
  for (const text of matching) expect(regex.test(text), text).toBe(true);
  for (const text of other) expect(regex.test(text), text).toBe(false);
});

test('instances are matched in any case', () => {
  expect(compilePattern('ABC', { ignoreCase: true }).test('abc')).toBe(true);
});

test.each([
  ['a{3,2}', 'bounds are out of order'],
  ['a{65536}', 'a repetition of more than 65535 times'],
  ['(?:a{500}){500}', 'at most 20000 parts'],
  ['{2}', 'a repetition with nothing to repeat'],
  ['\\k<x>', 'a reference to group x'],
  ['a++', 'a possessive quantifier'],
  ['a{2}+', 'a possessive quantifier'],
  ['(?R)', 'recursion'],
  ['(a)(?1)', 'recursion'],
  ['(?&x)', 'recursion'],
  ['\\g<1>', 'recursion'],
  ['(?(1)a|b)', 'a conditional (?(…)'],
  ['(?|a|b)', 'a branch reset (?|…)'],
  ['(?C1)', 'a callout (?C)'],
  ['a(*FAIL)', 'a verb (*…)'],
  ['(*UTF8)a', 'a verb (*…)'],
  ['a(?i)b', 'an option that changes inside the pattern'],
  ['a(?i:b)', 'an option that changes inside the pattern'],
  ['a\\Kb', 'the reset \\K'],
  ['\\Ga', 'the assertion \\G'],
  ['\\X', 'the grapheme \\X'],
  ['[[.a.]]', 'the class [.a.]'],
  ['(', 'a group that is never closed'],
  [')', 'a ) without ('],
  ['[a', 'a class that is never closed'],
  ['[z-a]', 'a range that ends before it begins'],
  ['[a-.]()\\1', 'a range that ends before it begins'],
  ['*', 'a * with nothing to repeat'],
  ['a\\', 'a \\ at the end'],
  ['\\2', 'a reference to group 2'],
  ['[[:constructor:]]', 'the class [:constructor:]'],
  ['\\y', 'the escape \\y'],
])('%s is refused by name', (pattern, construct) => {
  expect(() => compilePattern(pattern)).toThrow(ValueError);
  expect(() => compilePattern(pattern)).toThrow(construct);
});

test('any text is a pattern or is refused; nothing else happens', () => {
  const piece = fc.constantFrom(
    '(',
    ')',
    '(?',
    '(?<',
    '(?>',
    '[',
    ']',
    '^',
    '-',
    '\\',
    '{',
    '}',
    '1',
    ',',
    '*',
    '+',
    '?',
    '|',
    'a',
    '.',
    '$',
    'P',
    '<n>',
    ':',
    '=',
    '!',
    '🙂',
    '\ud800',
    'Q',
    'E',
    'x',
    '[:alpha:]',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
      (pattern) => {
        try {
          compilePattern(pattern);
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError);
        }
      },
    ),
    { numRuns: 5000 },
  );
});

test('a text that is quoted matches itself and nothing shorter', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((text) => !text.includes('\\E')),
      (text) => {
        const regex = compilePattern(`^\\Q${text}\\E\\z`);
        expect(regex.test(text)).toBe(true);
        expect(regex.test(text.slice(1))).toBe(false);
      },
    ),
  );
});

describe('exec', () => {
  test.each<[string, string, string, number, readonly (string | undefined)[]]>([
    ['groups by their numbers, whatever stands between', '(?>x(a))(b)?(c)', 'xac', 0, ['xac', 'a', undefined, 'c']],
    ['a group in a loop keeps what an earlier turn gave it', '(?:(a)|b)+', 'xab', 1, ['ab', 'a']],
    ['with a reference', '(a|b)\\1', 'abb', 1, ['bb', 'b']],
  ])('%s', (_, source, text, index, groups) => {
    expect(compilePattern(source).exec(text)).toMatchObject({ index, groups });
  });

  test('gives nothing where nothing matches', () => {
    for (const source of ['x', '(x)\\1', '(?:(x)|y)+']) expect(compilePattern(source).exec('abc')).toBeUndefined();
  });
});

describe('a pattern that gives up', () => {
  const hopeless = '^(a*)*\\1(a*)*\\1(a*)*b$';
  const text = 'a'.repeat(200);

  function house(): { now: () => number; tell: (text: string) => void; at: number; readonly told: string[] } {
    const made = { at: 0, told: [] as string[], now: () => made.at, tell: (said: string) => void made.told.push(said) };
    return made;
  }

  test('matches nothing, and says so once a minute with its place', () => {
    const host = house();
    const pattern = compilePattern(hopeless, { host, place: { file: 'f', line: 3, column: 8 } });
    expect(pattern.unbounded).toBe(true);
    expect([pattern.test(text), pattern.test(text)]).toEqual([false, false]);
    expect(host.told).toEqual([
      `f:3:8: the regular expression /${hopeless}/ gave up on a text of 200 characters, which counts as no match; write it with less repetition`,
    ]);
    host.at = 60_000;
    pattern.test(text);
    expect(host.told).toHaveLength(2);
  });

  test('is passed over after five times in a minute, until the minute is over', () => {
    const host = house();
    const pattern = compilePattern(hopeless, { host });
    for (let time = 0; time < 5; time++) {
      host.at += 1000;
      expect(pattern.test(text)).toBe(false);
    }
    expect(host.told).toHaveLength(2);
    expect(host.told[1]).toContain('gave up 5 times within a minute: for 56 seconds it matches nothing');
    // Not even what it would find at once.
    expect(pattern.test('b')).toBe(false);
    host.at = 61_000;
    expect(pattern.test('b')).toBe(true);
    expect(host.told).toHaveLength(2);
  });
});
