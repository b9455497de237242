import type { ConfigError } from '../../../src/config/errors.ts';
import { ValueError } from '../../../src/config/index.ts';
import { compilePattern } from '../../../src/config/patterns/pattern.ts';
import { parse } from '../../../src/config/text/grammar.ts';
import { printItems } from '../../../src/config/text/print.ts';
import type { Dice } from '../../sim/dice.ts';
import type { FuzzTarget } from '../target.ts';

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const VALUES = [
  'true',
  '25',
  '"a b"',
  '( a b )',
  '( "a" , "b" )',
  '( a = b )',
  '( a = ( b c ) )',
  '"\\n\\"\\\\"',
  '()',
];
const NAMES = ['Spoolbase', 'Relay_Hosts', 'max_message_size', 'x-y', 'Ü'];

function stanza(dice: Dice, depth: number): string {
  let text = '';
  for (let count = dice.between(0, 4); count > 0; count--) {
    const kind = dice.weighted({ option: 6, stanza: depth < 5 ? 3 : 0, include: 1, comment: 1 });
    if (kind === 'option') text += `${dice.of(NAMES)} ${dice.happens(0.5) ? '=' : ''} ${dice.of(VALUES)}\n`;
    else if (kind === 'include') text += `${dice.of(['include', 'readonly_include'])} "more.conf"\n`;
    else if (kind === 'comment') text += '# a comment {\n';
    else text += `Domain ${dice.of(['', '"example.org"', '~ "^a.*$"'])} {\n${stanza(dice, depth + 1)}}\n`;
  }
  return text;
}

export const grammar: FuzzTarget = {
  name: 'config',
  about:
    'the grammar of configurations: never throws, errors have places within the text, what it prints reads the same',
  words: [
    ...VALUES,
    ...NAMES,
    '{',
    '}',
    '(',
    ')',
    '=',
    ',',
    '"',
    '\\',
    '#',
    '/*',
    '*/',
    'include',
    '\n',
    '~',
    '\ufeff',
  ],
  generate: (dice) => utf8(stanza(dice, 0)),
  check(input) {
    const text = input.toString('utf8');
    const errors: ConfigError[] = [];
    const items = parse(text, 'fuzz.conf', errors);
    const lines = text.split('\n').length;
    for (const error of errors) {
      if (error.message === '') return 'an error without words';
      if (error.place === undefined) return `an error without a place: ${error.message}`;
      if (error.place.line < 1 || error.place.line > lines || error.place.column < 1)
        return `an error at ${error.checkLine}, in a text of ${lines} lines`;
    }
    const printed = printItems(items);
    const more: ConfigError[] = [];
    const again = printItems(parse(printed, 'printed.conf', more));
    if (more.length > 0)
      return `what was printed is wrong: ${more[0]?.checkLine} in ${JSON.stringify(printed.slice(0, 200))}`;
    return again === printed ? undefined : `it prints ${JSON.stringify(printed)} and then ${JSON.stringify(again)}`;
  },
};

const PARTS = [
  'a',
  '.',
  '\\d',
  '[a-z]',
  '[[:alpha:]]',
  '(?:a|b)',
  '(a)',
  '\\1',
  '^',
  '$',
  '\\Q.\\E',
  '(?i)',
  '(?<n>a)',
];
const MORE = [
  '*',
  '+',
  '?',
  '{2}',
  '{2,}',
  '{2,3}',
  '*?',
  '++',
  '(?>a)',
  '(?#c)',
  '\\x{41}',
  '\\h',
  '[^]a]',
  '|',
  '(?=a)',
];

export const pattern: FuzzTarget = {
  name: 'pattern',
  about: 'PCRE patterns: translated, or refused with a reason',
  words: [...PARTS, ...MORE, '(', ')', '[', ']', '\\', '(?', '(?P<a>', '(?(1)', '\\p{L}', '\\g{-1}', '(*', '{'],
  generate(dice) {
    let text = '';
    for (let count = dice.scale(1, 12); count > 0; count--) text += dice.of(dice.happens(0.7) ? PARTS : MORE);
    return utf8(text);
  },
  check(input) {
    const text = input.toString('utf8');
    for (const ignoreCase of [true, false]) {
      try {
        const made = compilePattern(text, { ignoreCase });
        if (made.source === '' && text !== '') return 'no pattern';
        made.test('');
        made.test('a'.repeat(64));
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        if (error.message === '') return 'refused without a reason';
      }
    }
    return undefined;
  },
};
