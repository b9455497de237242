import type { RawValue } from '../option.ts';
import type { Item } from '../text/items.ts';
import type { Finding, LintRule } from './rule.ts';

/**
 * Momentum's manual wants quotes around what holds one of `# / " ' = { } [ ] ( )`. Of these only `/` can stand in a word
 * here; items of arrays are left alone, since the manual's own lists of blocks have no quotes.
 */
export const unquotedValue: LintRule = {
  id: 'unquoted-value',
  summary: 'a value with a / and without quotes, which Momentum does not promise to read',
  *find({ sources }) {
    yield* inItems(sources.items);
    for (const items of sources.included.values()) yield* inItems(items);
  },
};

function* inItems(items: readonly Item[]): Iterable<Finding> {
  for (const item of items) {
    if (item.kind === 'stanza') yield* inItems(item.items);
    else if (item.kind === 'option') yield* inValue(item.name, item.value);
  }
}

function* inValue(name: string, value: RawValue): Iterable<Finding> {
  if (value.kind === 'dictionary')
    for (const entry of value.entries) yield* inValue(`${entry.key} of ${name}`, entry.value);
  else if (value.kind === 'text' && !value.quoted && value.text.includes('/'))
    yield {
      place: value.at,
      text: `${name} = ${value.text} holds a / and has no quotes`,
      suggestion: `"${value.text}"`,
    };
}
