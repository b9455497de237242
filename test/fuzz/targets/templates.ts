import {
  type Data,
  type Fields,
  MOST_OUTPUT,
  type Place,
  TemplateError,
  templates,
} from '../../../src/templates/index.ts';
import type { Dice } from '../../sim/dice.ts';
import { diceOf, type FuzzTarget } from '../target.ts';

const PLACES: readonly Place[] = ['text', 'html', 'amp_html', 'Header:Subject'];
/** What would be reached through a prototype, and stands nowhere else. */
const CANARY = 'canary_of_prototypes';
const LEAK = 'LEAKED-FROM-A-PROTOTYPE';
/** A value that must never come out of HTML as it went in. */
const EVIL = '<EVIL-MARK a="1">&\'/';

const NAMES = ['a', 'list', 'deep', 'n', 'big', 'none', 'evil', 'digits', 'loop_var', 'loop_index', 'email'] as const;
const REACHING = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', CANARY] as const;
const LITERALS = ["'x'", '"y"', '1', '0', '-2', '1e308', '.5', 'true', 'nil', "'\\n'", '""'] as const;
const BINARY = ['+', '-', '*', '/', '==', '!=', '~=', '<', '>', '<=', '>=', 'and', 'or'] as const;
const TEXTS = [
  ' ',
  '\n',
  '\r\n',
  'http://x.test/',
  '<a href="https://x.test/?q=',
  '">',
  '{',
  '}}',
  'data-msys-clicktrack="0"',
  '<',
];

const DATA: Fields = {
  a: 'Ann',
  n: 7,
  none: null,
  evil: EVIL,
  big: 'x'.repeat(20_000),
  digits: '1'.repeat(20_000),
  list: Array.from({ length: 300 }, (_, index) => ({ name: `n${index}`, list: [1, 2, { a: 'b' }] })),
  deep: { a: { list: [[1, 2], [3]], b: { c: 'd' } } },
  dynamic_html: {
    k: '<p>{{a}}{{each list}}{{loop_var.name}}{{end}}</p>',
    self: '{{render_dynamic_content(dynamic_html.self)}}',
    bad: '{{if',
  },
};

function expression(dice: Dice, depth = 0): string {
  const inner = (): string => (depth > 4 ? dice.of(NAMES) : expression(dice, depth + 1));
  switch (dice.weighted({ name: 5, path: 4, literal: 3, binary: 4, unary: 2, parens: 1, macro: 2, reach: 2 })) {
    case 'name':
      return dice.of(NAMES);
    case 'path':
      return `${inner()}${dice.of(['.a', '.list', '.b.c', "['a']", '[1]', '[n]', '[-1]', `[${inner()}]`])}`;
    case 'literal':
      return dice.of(LITERALS);
    case 'binary':
      return `${inner()} ${dice.of(BINARY)} ${inner()}`;
    case 'unary':
      return `${dice.of(['not ', '-', '#'])}${inner()}`;
    case 'parens':
      return `(${inner()})`;
    case 'macro':
      return dice.of([
        `empty(${inner()})`,
        'opening_double_curly()',
        'render_dynamic_content(dynamic_html.k)',
        'loop_vars.list',
        'render_snippet("x")',
      ]);
    case 'reach':
      return `${dice.of(['', `${inner()}.`])}${dice.of(REACHING)}`;
  }
}

function template(dice: Dice, depth = 0): string {
  let text = '';
  for (let count = dice.scale(1, 6); count > 0; count--)
    switch (dice.weighted({ text: 3, value: 5, raw: 1, condition: depth > 3 ? 0 : 2, loop: depth > 3 ? 0 : 3 })) {
      case 'text':
        text += dice.of(TEXTS);
        break;
      case 'value':
        text += `{{${expression(dice)}}}`;
        break;
      case 'raw':
        text += `{{{ ${expression(dice)} }}}`;
        break;
      case 'condition':
        text += `{{if ${expression(dice)}${dice.of(['', ' then'])}}}${template(dice, depth + 1)}${dice.of(['', '{{else}}x', '{{elseif n}}y'])}{{end}}`;
        break;
      case 'loop':
        text += `{{each ${dice.of(['list', 'loop_var.list', 'deep.a.list', 'none', expression(dice)])}}}${template(dice, depth + 1)}{{end}}`;
        break;
    }
  return text;
}

export const templateLanguage: FuzzTarget = {
  name: 'template',
  about:
    'templates of mail: errors with part and line, an end in steps, bytes and time, nothing behind a prototype, HTML escaped',
  words: [
    ...NAMES,
    ...REACHING,
    ...LITERALS,
    ...BINARY,
    ...TEXTS,
    '{{',
    '}}',
    '{{{',
    '}}}',
    '{{if a}}',
    '{{else}}',
    '{{elseif a}}',
    '{{end}}',
    '{{each list}}',
    '{{each loop_var.list}}',
    '#',
    '[',
    ']',
    '(',
    ')',
    '.',
    '\\',
    '\0',
    '\u2028',
    '\ud800',
    'render_dynamic_content(dynamic_html.self)',
    'digits+digits+',
    '#big+',
    'big==big and ',
    '{{each list}}{{each list}}{{each list}}',
  ],
  generate: (dice) => Buffer.from(template(dice), 'utf8'),
  check(input) {
    const source = input.toString('utf8');
    return withCanary(() => tried(source, diceOf(input).of(PLACES)));
  },
};

function tried(source: string, place: Place): string | undefined {
  const language = templates(() => performance.now());
  const data: Data = { layers: [{ email: 'a@x.test' }, DATA], shared: DATA };
  try {
    const compiled = language.compile(source, place);
    const out = compiled.render(data);
    if (Buffer.byteLength(out) > MOST_OUTPUT) return `${Buffer.byteLength(out)} bytes came out`;
    if (out.includes(LEAK) || out.includes('[native code]') || out.includes('[object '))
      return 'it reached a prototype';
    const escaped = place === 'html' || place === 'amp_html';
    if (escaped && out.includes('<EVIL-MARK') && !/\{\{\{|<EVIL/.test(source))
      return 'a value came out of HTML as it was';
    if (compiled.constant !== undefined && compiled.constant !== out) return 'a constant is rendered to something else';
    return undefined;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { part, line, kind, message } = error;
    if (part !== place) return `an error in ${part}, and not in ${place}`;
    // What render_dynamic_content renders has lines of its own.
    const lines =
      kind === 'render' || source.includes('render_dynamic') ? Number.POSITIVE_INFINITY : source.split('\n').length;
    if (!Number.isInteger(line) || line < 1 || line > lines) return `an error in line ${line}`;
    if (message === '' || message.length > 300) return `a message of ${message.length} characters`;
    return undefined;
  }
}

function withCanary<T>(work: () => T): T {
  const prototypes: readonly object[] = [Object.prototype, Array.prototype, String.prototype, Number.prototype];
  for (const each of prototypes)
    Object.defineProperty(each, CANARY, { value: LEAK, configurable: true, enumerable: false });
  try {
    return work();
  } finally {
    for (const each of prototypes) Reflect.deleteProperty(each, CANARY);
  }
}
