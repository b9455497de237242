import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../errors.ts';
import type { RawValue } from '../option.ts';
import { parse } from './grammar.ts';
import { type Item, LIMITS } from './items.ts';
import { printItems } from './print.ts';

/** What was parsed, printed, and the errors as the check prints them. */
function parsed(text: string): {
  readonly items: readonly Item[];
  readonly printed: string;
  readonly errors: readonly string[];
} {
  const errors: ConfigError[] = [];
  const items = parse(text, 'f', errors);
  return { items, printed: printItems(items), errors: errors.map((error) => error.checkLine) };
}

/** Without places, so that what was printed and read again can be compared. */
function bare(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === 'at' ? undefined : inner)));
}

describe('every form of the language', () => {
  test.each([
    ['a = 5', 'a = 5'],
    ['A_b2="x"', 'A_b2 = "x"'],
    ["a = 'no \\n escapes'", 'a = "no \\\\n escapes"'],
    ['a = "two\nlines"', 'a = "two\\nlines"'],
    ['a = "\\\\ \\" \\n \\r \\t \\. \\d"', 'a = "\\\\ \\" \\n \\r \\t \\\\. \\\\d"'],
    ['a = /run/x.sock', 'a = /run/x.sock'],
    ['a = digest:///a/*b', 'a = digest:///a/*b'],
    ['a = abc#def', 'a = abc'],
    ['a = x,y', 'a = x,y'],
    ['a ( )', 'a = ( )'],
    ['a = ()', 'a = ( )'],
    ['a = ( b,c "d e" , f )', 'a = ( b c "d e" f )'],
    ['a [ ]', 'a = [ ]'],
    ['a = [ k = v, "l m" = ( x y ) n = "q,r" ]', 'a = [ k = v "l m" = ( x y ) n = "q,r" ]'],
    ['a [ k = ( x ),l = y ]', 'a = [ k = ( x ) l = y ]'],
    ['s { }', 's {\n}'],
    ['s = { a = 1 }', 's {\n  a = 1\n}'],
    ['s "i" { }', 's "i" {\n}'],
    ['s i = { }', 's "i" {\n}'],
    ['pathway = "x" pathway "x" { }', 'pathway = "x"\npathway "x" {\n}'],
    ['Include "x" READONLY_include y', 'include "x"\nreadonly_include "y"'],
    ['/* a = 1 */ b = 2 # c = 3', 'b = 2'],
    ['/* /* */ b = 2', 'b = 2'],
    ['\ufeffa = 1\r\nb = 2\r\n', 'a = 1\nb = 2'],
    ['', ''],
  ])('%j', (text, printed) => {
    const result = parsed(text);
    expect(result.errors).toEqual([]);
    expect(result.printed.trimEnd()).toBe(printed);
  });

  test('a place is where a name begins, counted in UTF-16 units behind text of several lines', () => {
    const { items } = parsed('a = "x\ny"  b = 1\n\n  /* 🙂\n*/ c = 2');
    expect(items.map((item) => [item.at.line, item.at.column])).toEqual([
      [1, 1],
      [2, 5],
      [5, 4],
    ]);
  });
});

describe('each error is told once, and what stands beside it is kept', () => {
  test.each([
    [
      'a = 5;\nb = 1',
      'b = 1',
      ["f:1:5: error: '5;' ends with ';': there is no such terminator here (quote the text if it is meant)"],
    ],
    [
      'a = 5 ;\nb = 1',
      'a = 5\nb = 1',
      ["f:1:7: error: there is no ';' in this language: an item ends where the next begins"],
    ],
    ['a b\nc = 1', 'c = 1', ["f:1:1: error: '=' is missing between 'a' and 'b'"]],
    ['a\nb = 1', 'b = 1', ["f:1:1: error: '=' or '{' is missing behind 'a'"]],
    ['a b c { d = 1 }\ne = 1', 'e = 1', ["f:1:1: error: '=' is missing between 'a' and 'b'"]],
    ['a b = c\nd = 1', 'd = 1', ["f:1:1: error: '=' is missing between 'a' and 'b'"]],
    ['a =\n}\nb = 1', 'b = 1', ["f:2:1: error: a value is missing before '}'", "f:2:1: error: '}' without '{'"]],
    [
      'a = = 1\nb = 1',
      'b = 1',
      ["f:1:5: error: a value is missing before '='", "f:1:7: error: '=' or '{' is missing behind '1'"],
    ],
    ['a.b = 1\nc = 1', 'c = 1', ["f:1:1: error: 'a.b' is no name: a name is made of letters, digits and _"]],
    ['"a" = 1\nb = 1', 'b = 1', ['f:1:1: error: a name must stand here, not the quoted text "a"']],
    ['a = ( b\nc = 1\nd = 2', 'c = 1\nd = 2', ["f:1:5: error: this '(' is never closed"]],
    ['s { a = ( b }\nd = 2', 's {\n}\nd = 2', ["f:1:9: error: this '(' is never closed"]],
    ['a = ( b ( c ) d )\ne = 1', 'e = 1', ["f:1:9: error: '(' inside an array: its items are texts"]],
    ['a [ b c = d ]\ne = 1', 'e = 1', ["f:1:5: error: '=' is missing behind the key 'b'"]],
    ['a [ b = [ c = d ] ]\ne = 1', 'e = 1', ['f:1:9: error: a dictionary inside a dictionary']],
    ['a [ b = c\n}', '', ["f:1:3: error: this '[' is never closed", "f:2:1: error: '}' without '{'"]],
    ['s {\n  a = 1', 's {\n  a = 1\n}', ["f:1:3: error: the '{' of s is never closed"]],
    ['a = "x\nb = 1', 'a = "x"\nb = 1', ['f:1:5: error: this " is never closed']],
    [
      "a = 'x\nb = 1'",
      'a = "x"\nb = 1',
      [
        "f:1:5: error: this ' is never closed",
        "f:2:6: error: this ' is never closed",
        'f:2:6: error: a name must stand here, not the quoted text ""',
      ],
    ],
    ['a = 1 /* x\n', 'a = 1', ['f:1:7: error: the comment that begins on line 1 is never closed']],
    [
      'a = "x\0y\0"\nb = 1\0\nc = 1',
      'a = "x y "\nb = 1\nc = 1',
      ['f:1:7: error: a NUL character', 'f:2:6: error: a NUL character'],
    ],
    [
      'include x;\na = 1',
      'a = 1',
      ["f:1:9: error: 'x;' ends with ';': there is no such terminator here (quote the text if it is meant)"],
    ],
  ])('%j', (text, printed, errors) => {
    const result = parsed(text);
    expect(result.errors).toEqual(errors);
    expect(result.printed.trimEnd()).toBe(printed);
  });
});

describe('limits', () => {
  const nested = (depth: number): string => `${'s {'.repeat(depth)} a = 1 ${'}'.repeat(depth)}\nb = 1`;

  test('32 stanzas inside each other are read, 33 are an error, and a million end soon', () => {
    expect(parsed(nested(LIMITS.nesting)).errors).toEqual([]);
    const beyond = parsed(nested(LIMITS.nesting + 1));
    expect(beyond.errors).toEqual([expect.stringContaining('more than 32 stanzas inside each other')]);
    expect(beyond.printed).toContain('b = 1');
    expect(parsed(nested(1_000_000)).errors).toHaveLength(1);
  });

  test('two million items are read, one more is an error', () => {
    const errors: ConfigError[] = [];
    const budget = { items: LIMITS.items - 3 };
    expect(parse('a = ( x )', 'f', errors, budget)).toHaveLength(1);
    parse('a = 1', 'f', errors, budget);
    expect(errors).toEqual([]);
    parse('a = 1', 'f', errors, budget);
    expect(errors.map((error) => error.message)).toEqual(['more than 2000000 items in all files together']);
  });

  test('after ten thousand errors the others are counted as one', () => {
    expect(parsed('a b\n'.repeat(LIMITS.errors + 100)).errors).toHaveLength(LIMITS.errors + 1);
  });
});

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((word) => !/^(?:readonly_)?include$/i.test(word));
const anyText = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'binary-ascii', maxLength: 8 }))
  .map((text) => text.replaceAll('\0', ''));
const word = fc
  .stringMatching(/^[!-~\u00a1-\uffff]{1,12}$/)
  .filter((text) => !/["#'={}[\]()\ud800-\udfff]/.test(text) && !text.startsWith('/*') && !text.endsWith(';'));
const at = { file: 'f', line: 1, column: 1 };
const textValue: fc.Arbitrary<RawValue> = fc.oneof(
  anyText.map((text): RawValue => ({ kind: 'text', text, quoted: true, at })),
  word.map((text): RawValue => ({ kind: 'text', text, quoted: false, at })),
);
// Inside brackets a comma separates, so no bare word there holds one.
const listedValue = textValue.filter((value) => value.kind === 'text' && (value.quoted || !value.text.includes(',')));
const arrayValue: fc.Arbitrary<RawValue> = fc
  .array(anyText, { maxLength: 4 })
  .map((items) => ({ kind: 'array', items: items.map((text) => ({ text, at })), at }));
const dictionaryValue: fc.Arbitrary<RawValue> = fc
  .array(fc.tuple(anyText, fc.oneof(listedValue, arrayValue)), { maxLength: 4 })
  .map((entries) => ({ kind: 'dictionary', entries: entries.map(([key, value]) => ({ key, value, at })), at }));
const { items } = fc.letrec<{ items: Item[] }>((tie) => ({
  items: fc.array(
    fc.oneof(
      { maxDepth: 4 },
      fc
        .tuple(name, fc.oneof(textValue, arrayValue, dictionaryValue))
        .map(([key, value]): Item => ({ kind: 'option', name: key, at, value })),
      fc.tuple(fc.boolean(), anyText).map(([readOnly, path]): Item => ({ kind: 'include', readOnly, path, at })),
      fc
        .tuple(name, fc.option(anyText, { nil: undefined }), tie('items'))
        .map(([key, instance, inner]): Item => ({ kind: 'stanza', name: key, at, instance, items: inner })),
    ),
    { maxLength: 5 },
  ),
}));

test('print then parse is the identity', () => {
  fc.assert(
    fc.property(items, (tree) => {
      const again = parsed(printItems(tree));
      expect(again.errors).toEqual([]);
      expect(bare(again.items)).toEqual(bare(tree));
    }),
    { numRuns: 500 },
  );
});

test('what was understood of any text is printed so that it is read as the same', () => {
  const piece = fc.constantFrom(
    'a',
    'b2',
    '"x y"',
    "'q'",
    '=',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ',',
    ';',
    '#c',
    '/*',
    '*/',
    '\n',
    ' ',
    '"',
    "'",
    '\\',
    'include',
    'x,y',
    '\0',
    '/x',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(' ')),
      (text) => {
        const first = parsed(text);
        const again = parsed(first.printed);
        expect(again.errors).toEqual([]);
        expect(bare(again.items)).toEqual(bare(first.items));
        expect(new Set(first.errors).size).toBe(first.errors.length);
      },
    ),
    { numRuns: 3000 },
  );
});

test('random bytes are parsed in time and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const errors: ConfigError[] = [];
      parse(Buffer.from(bytes).toString('latin1'), 'f', errors);
      expect(errors.every((error) => error instanceof ConfigError)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
