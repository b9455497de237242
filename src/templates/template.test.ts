import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Data, type Fields, type Place, TemplateError, templates } from './index.ts';

const language = templates(() => 0);
const dataOf = (fields: Fields, shared: Fields = {}): Data => ({ layers: [fields, shared], shared });

const rendered = (source: string, fields: Fields = {}, place: Place = 'text', shared: Fields = {}): string =>
  language.compile(source, place).render(dataOf(fields, shared));

function troubleOf(source: string, fields: Fields = {}, place: Place = 'text'): string {
  try {
    rendered(source, fields, place);
  } catch (error) {
    if (error instanceof TemplateError) return `${error.kind} ${error.part} ${error.line}: ${error.message}`;
    throw error;
  }
  throw new Error('nothing is wrong with it');
}

describe('expressions', () => {
  test.each<[string, Fields, string]>([
    ['Hi {{name}}!', { name: 'Ann' }, 'Hi Ann!'],
    ['Hi {{  name  }}!', { name: 'Ann' }, 'Hi Ann!'],
    ['Hi {{name}}!', {}, 'Hi !'],
    ['Hi {{name}}!', { name: null }, 'Hi !'],
    ["{{name or 'friend'}}", {}, 'friend'],
    ['{{name or "friend"}}', { name: '' }, ''],
    ['{{a and b}}', { a: 1, b: 2 }, '2'],
    ['{{not a}}', {}, 'true'],
    ["{{a.b['c d'].e}}", { a: { b: { 'c d': { e: 5 } } } }, '5'],
    ['{{a[k]}}', { a: { x: 'found' }, k: 'x' }, 'found'],
    ['{{a[1]}}{{a[2]}}{{a[0]}}', { a: ['x', 'y'] }, 'xy'],
    ['{{#a}} {{#t}} {{#nothing}}', { a: [1, 2, 3], t: 'ä' }, '3 2 0'],
    ['{{1 + 2 * 3 - 4 / 2}}', {}, '5'],
    ['{{(1 + 2) * 3}} {{-x}}', { x: 4 }, '9 -4'],
    ["{{'2' * 3}}", {}, '6'],
    ['{{a == b}} {{a ~= b}} {{a != 1}}', { a: 1, b: 1 }, 'true false false'],
    ["{{'a' < 'b'}} {{2 >= 3}}", {}, 'true false'],
    ['{{n}}', { n: 5.0 }, '5'],
    ['{{n}}', { n: 0.1 + 0.2 }, '0.3'],
    ['{{n}}', { n: 1e20 }, '1e+20'],
    ['{{n}}', { n: 123456789.1234567 }, '123456789.12346'],
    ['{{n}}', { n: 0.00001 }, '1e-05'],
    ['{{1 / 0}}', {}, 'inf'],
    ["{{'it\\'s }}'}}", {}, "it's }}"],
    ['{{opening_double_curly()}}x{{closing_triple_curly()}}', {}, '{{x}}}'],
    ['{{empty(a)}}{{empty(b)}}{{empty(c)}}', { a: [], b: ['x'] }, 'truefalsetrue'],
    ['{{o}}', { o: { a: [1] } }, '{"a":[1]}'],
    ['{{constructor}}{{a.__proto__}}{{a.toString}}', { a: {} }, ''],
  ])('%s', (source, fields, wanted) => {
    expect(rendered(source, fields)).toBe(wanted);
  });

  test('a key is taken from the strongest that has it, whole, even when it is null there', () => {
    const data = {
      layers: [
        { a: { x: 1 }, n: null },
        { a: { y: 2 }, n: 3, b: 4 },
      ],
      shared: {},
    };
    expect(language.compile('{{a.x}}{{a.y}}{{n}}{{b}}', 'text').render(data)).toBe('14');
  });
});

describe('statements', () => {
  test.each<[string, Fields, string]>([
    ['{{if a}}yes{{else}}no{{end}}', { a: 0 }, 'yes'],
    ['{{if a}}yes{{else}}no{{end}}', { a: '' }, 'yes'],
    ['{{if a}}yes{{else}}no{{end}}', { a: [] }, 'yes'],
    ['{{if a then}}yes{{else}}no{{end}}', { a: false }, 'no'],
    ['{{ if a == 1 }}one{{ elseif a == 2 then }}two{{ else }}more{{ end }}', { a: 2 }, 'two'],
    ['{{each l}}{{loop_index}}{{loop_var}},{{end}}', { l: ['a', 'b'] }, '1a,2b,'],
    ['{{each nothing}}x{{end}}', {}, ''],
    [
      '{{each o.items}}{{each loop_var.parts}}{{loop_vars.items.name}}{{loop_vars.parts}}{{loop_index}} {{end}}{{end}}',
      {
        o: {
          items: [
            { name: 'x', parts: ['a', 'b'] },
            { name: 'y', parts: ['c'] },
          ],
        },
      },
      'xa1 xb2 yc1 ',
    ],
    ['a\n{{if x}}\nb\n{{end}}\nc', { x: 1 }, 'a\nb\nc'],
    ['a\r\n  {{if x}}  \r\nb\r\n{{end}} \r\nc', { x: 1 }, 'a\r\nb\r\nc'],
    ['a\n{{if x}}b{{end}} rest\nc', { x: 1 }, 'a\nb rest\nc'],
    ['a\n{{x}}\nc', { x: 1 }, 'a\n1\nc'],
    ['ifx {{ifx}} {{endless}}', { ifx: 1, endless: 2 }, 'ifx 1 2'],
  ])('%s', (source, fields, wanted) => {
    expect(rendered(source, fields)).toBe(wanted);
  });
});

describe('escaping', () => {
  const nasty = { x: `<a href="/">&'` };

  test('html and amp escape, text and headers do not, three braces never do', () => {
    const safe = '&lt;a href=&quot;&#x2F;&quot;&gt;&amp;&#39;';
    expect(rendered('{{x}}', nasty, 'html')).toBe(safe);
    expect(rendered('{{x}}', nasty, 'amp_html')).toBe(safe);
    expect(rendered('{{x}}', nasty, 'text')).toBe(nasty.x);
    expect(rendered('{{x}}', nasty, 'Header:Subject')).toBe(nasty.x);
    expect(rendered('{{{x}}}', nasty, 'html')).toBe(nasty.x);
  });

  test('in a URL that begins in the literal text everything but unreserved characters is percent-encoded', () => {
    const deal = { d: 'Daily Deal!', u: 'http://x.test/a' };
    expect(rendered('http://x.test/{{d}} {{d}}', deal)).toBe('http://x.test/Daily%20Deal%21 Daily Deal!');
    expect(rendered('<a href="HTTPS://x/?a={{d}}&b={{d}}">{{d}}</a>', deal, 'html')).toBe(
      '<a href="HTTPS://x/?a=Daily%20Deal%21&b=Daily%20Deal%21">Daily Deal!</a>',
    );
    expect(rendered('http://x/{{{d}}}', deal)).toBe('http://x/Daily Deal!');
    expect(rendered('{{u}}/{{d}}', deal)).toBe('http://x.test/a/Daily Deal!');
    expect(rendered('http://x/{{s}}', { s: '\ud800ä' })).toBe('http://x/%EF%BF%BD%C3%A4');
  });

  test('attributes for tracking do not reach the reader', () => {
    expect(
      rendered(`<a data-msys-linkname="x > y" href="h" data-msys-clicktrack='0'>data-msys-sublink="q"</a>`, {}, 'html'),
    ).toBe(`<a href="h">data-msys-sublink="q"</a>`);
    expect(rendered('http://x[[data-msys-clicktrack="0"]] y')).toBe('http://x y');
  });
});

describe('render_dynamic_content', () => {
  const shared = {
    dynamic_html: {
      gold: '<b>{{name}}</b> <a href="http://x/{{name}}">',
      loop: '{{render_dynamic_content(dynamic_html.loop)}}',
    },
  };

  test('renders texts of the transmission, with the data of the recipient, unescaped', () => {
    const fields = { name: '<Ann>', level: 'gold', dynamic_html: { gold: 'mine' } };
    expect(rendered('{{render_dynamic_content(dynamic_html[level])}}', fields, 'html', shared)).toBe(
      '<b>&lt;Ann&gt;</b> <a href="http://x/%3CAnn%3E">',
    );
    expect(rendered('[{{render_dynamic_content(dynamic_html.none)}}]', {}, 'html', shared)).toBe('[]');
  });

  test('has an end when it renders itself', () => {
    expect(() => rendered('{{render_dynamic_content(dynamic_html.loop)}}', {}, 'html', shared)).toThrow(
      'nested more than 5',
    );
  });
});

describe('what is wrong is told with its line', () => {
  test.each<[string, string]>([
    ['a\nb {{name', "syntax text 2: '{{' has no '}}'"],
    ['{{if a}}', "syntax text 1: 'if' has no 'end'"],
    ['\n\n{{end}}', "syntax text 3: 'end' belongs to no 'if' or 'each'"],
    ['{{each a}}{{else}}{{end}}', "syntax text 1: 'else' belongs to no 'if'"],
    ['{{if a}}{{else}}{{elseif b}}{{end}}', "syntax text 1: 'elseif' stands behind 'else'"],
    ['{{}}', 'syntax text 1: there is nothing between the braces: '],
    ['{{a b}}', "syntax text 1: 'b' is not expected here: a b"],
    ['{{a @ b}}', "syntax text 1: '@ b' cannot be read: a @ b"],
    ['{{foo(a)}}', 'syntax text 1: there is no macro foo: foo(a)'],
    [
      '{{render_dynamic_content(name)}}',
      'syntax text 1: render_dynamic_content renders dynamic_html, dynamic_plain or dynamic_amp_html: render_dynamic_content(name)',
    ],
    [
      "{{render_dynamic_content(dynamic_html.a) or 'x'}}",
      "syntax text 1: render_dynamic_content stands alone between its braces: render_dynamic_content(dynamic_html.a) or 'x'",
    ],
    ['x\n{{1 < nothing}}', 'render text 2: a number cannot be compared with nothing'],
    ["{{'x' + 1}}", 'render text 1: arithmetic on a text'],
    ["{{each 'x'}}{{end}}", "render text 1: 'each' needs an array, and not a text"],
  ])('%j', (source, wanted) => {
    expect(troubleOf(source)).toBe(wanted);
  });

  test('expressions and blocks may be nested so deep and no deeper', () => {
    const blocks = (count: number): string => '{{if 1}}'.repeat(count) + '{{end}}'.repeat(count);
    expect(rendered(blocks(50))).toBe('');
    expect(troubleOf(blocks(51))).toContain('blocks are nested more than 50 deep');
    expect(rendered(`{{${'('.repeat(50)}1${')'.repeat(50)}}}`)).toBe('1');
    expect(troubleOf(`{{${'('.repeat(51)}1${')'.repeat(51)}}}`)).toContain('nested more than 50 deep');
    expect(troubleOf(`{{${'not '.repeat(1000)}1}}`)).toContain('nested more than 50 deep');
  });

  test('loops over loops end, and so does output', () => {
    const l = Array.from({ length: 1000 }, () => 1);
    expect(troubleOf('{{each l}}{{each l}}{{each l}}{{end}}{{end}}{{end}}', { l })).toContain(
      'more than 1000000 steps',
    );
    expect(troubleOf('{{each l}}{{x}}{{end}}', { l, x: 'y'.repeat(5000) })).toContain('longer than 4194304 bytes');
    expect(troubleOf('{{each l}}{{each l}}{{l}}{{end}}{{end}}', { l })).toContain('steps');
  });

  test('a rendering that takes too long is ended by the clock', () => {
    let time = 0;
    const slow = templates(() => (time += 20));
    const l = Array.from({ length: 20_000 }, () => 1);
    expect(() => slow.compile('{{each l}}{{end}}', 'text').render(dataOf({ l }))).toThrow('more than 50 ms');
  });
});

const fragment = fc.oneof(
  fc.constantFrom(
    '{{',
    '}}',
    '{{{',
    '}}}',
    'if ',
    'each ',
    'end',
    'else',
    'elseif ',
    'then',
    '(',
    ')',
    '[',
    ']',
    '.',
    '#',
    "'",
    '"',
    '\\',
    '\n',
    '\r\n',
    ' ',
    'a',
    'l',
    'loop_var',
    'loop_vars.',
    'or ',
    'and ',
    'not ',
    '1',
    '+',
    '<',
    '==',
    'http://',
    '<a data-msys-',
    'empty(',
    'render_dynamic_content(',
    'dynamic_html.x',
  ),
  fc.string({ maxLength: 5 }),
);

test('whatever is written, there is a text or an error with a line that exists', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 40 }), fc.jsonValue({ maxDepth: 3 }), (parts, value) => {
      const source = parts.join('');
      const fields = { a: value as Fields, l: [value as Fields, 1, 'x'] };
      for (const place of ['text', 'html', 'Header:Subject'] as const) {
        try {
          expect(typeof rendered(source, fields, place, { dynamic_html: { x: source } })).toBe('string');
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
          expect(error.line).toBeGreaterThanOrEqual(1);
          expect(error.line).toBeLessThanOrEqual(source.split('\n').length);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('text without braces comes out as it is, byte for byte', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('{{') && !text.includes('data-msys-'));
      expect(rendered(text)).toBe(text);
      expect(language.compile(text, 'html').constant).toBe(text);
    }),
  );
});

test('a value in HTML never opens a tag, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(rendered('{{a}}', { a: text }, 'html')).not.toMatch(/[<>"']/);
    }),
  );
});

test.each([
  ['tags that never end', '{{'.repeat(1_000_000)],
  ['a line without an end before an expression', `${'a'.repeat(2_000_000)} {{x}}`],
  ['quotes in tags that never end', `data-msys-${'<"'.repeat(1_000_000)}`],
  ['attributes in a tag that never ends', `<a${' data-msys-linkname=\'"'.repeat(100_000)}`],
  ['blanks before statements', [1, 2].map(() => `${' '.repeat(1_000_000)}{{if x}}`).join('')],
  ['a hundred thousand expressions', '{{x}}'.repeat(100_000)],
  ['brackets alone', `{{${'a['.repeat(1000)}}}`],
])('a bomb of %s is found out in time that grows with its length only', (_, source) => {
  const began = performance.now();
  try {
    rendered(source, {}, 'html');
  } catch (error) {
    expect(error).toBeInstanceOf(TemplateError);
  }
  expect(performance.now() - began).toBeLessThan(2000);
});

test.each([
  ['arithmetic on long numbers', `{{${'digits + '.repeat(400)}1}}`],
  ['comparisons of long texts', `{{if ${'big <= same and '.repeat(200)}true}}{{end}}`],
  ['equality of long texts', `{{if ${'big == same and '.repeat(200)}true}}{{end}}`],
  ['lengths of long texts', `{{if ${'#big + '.repeat(500)}1 > 0}}{{end}}`],
  ['emptiness of large objects', `{{if ${'empty(wide) or '.repeat(200)}true}}{{end}}`],
])('%s cost what they take: the time that a part may have is kept', (_, work) => {
  const fields = {
    digits: '1'.repeat(40_000),
    big: `${'ä'.repeat(40_000)}`,
    same: ['ä'.repeat(20_000), 'ä'.repeat(20_000)].join(''),
    wide: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n])),
    list: Array.from({ length: 10_000 }, (_, n) => n),
  };
  const began = performance.now();
  const source = `{{each list}}{{each list}}${work}{{end}}{{end}}`;
  expect(() =>
    templates(() => performance.now())
      .compile(source, 'text')
      .render({ layers: [fields], shared: {} }),
  ).toThrow(/steps|rendering takes more than/);
  expect(performance.now() - began).toBeLessThan(1000);
});

test('a part of more than 4 MiB is refused, whether or not there is anything in it to fill in', () => {
  const text = 'ä'.repeat(2_097_152);
  expect(language.compile(text, 'text').constant).toBe(text);
  expect(() => language.compile(`${text}.`, 'text')).toThrow(TemplateError);
  expect(() => rendered(`${text}{{x}}`, { x: '.' })).toThrow(TemplateError);
});
