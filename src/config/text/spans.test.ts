import { expect, test } from 'vitest';
import { parse } from './grammar.ts';
import type { Item } from './items.ts';
import { type Span, spansOf } from './spans.ts';

const text = `\ufeff# c
A=1 /* x = 2 */ B = "a } # \\" b"
include "x" readonly_include y
Context [ a = ( 1 2 ), b = "]" ]Relay_Hosts(1,2)
Domain "/a{2}/" = { Listen ":25" { } D = ( ) }
E {}C = 'raw "' # end`;

/** The texts of all items, with what is inside stanzas behind them. */
function slices(spans: readonly Span[]): string[] {
  return spans.flatMap((span) => [
    text.slice(span.start, span.end),
    ...(span.kind === 'stanza' ? [text.slice(span.open, span.close), ...slices(span.items)] : []),
  ]);
}

test('each item of a text has its span, in the order of the items', () => {
  const shape = (items: readonly (Item | Span)[]): unknown =>
    items.map((item) => (item.kind === 'stanza' ? [item.kind, shape(item.items)] : item.kind));
  const errors: never[] = [];
  expect(shape(spansOf(text))).toEqual(shape(parse(text, 'f', errors)));
  expect(errors).toEqual([]);
  expect(slices(spansOf(text))).toEqual([
    'A=1',
    'B = "a } # \\" b"',
    'include "x"',
    'readonly_include y',
    'Context [ a = ( 1 2 ), b = "]" ]',
    'Relay_Hosts(1,2)',
    'Domain "/a{2}/" = { Listen ":25" { } D = ( ) }',
    ' Listen ":25" { } D = ( ) ',
    'Listen ":25" { }',
    ' ',
    'D = ( )',
    'E {}',
    '',
    "C = 'raw \"'",
  ]);
});

test.each(['a', 'a = ', 'a = { ', 'a { } }', 'a b', '"a" = 1', 'a = ( 1', 'a = "', 'a ( { )'])(
  '%s has none',
  (wrong) => {
    expect(() => spansOf(wrong)).toThrow('no configuration');
  },
);
