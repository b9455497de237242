import type { Place } from '../option.ts';
import type { Item } from '../text/items.ts';
import type { Finding, LintRule } from './rule.ts';

/** In one file only: files that follow others are often there to override them. */
export const valueSetTwice: LintRule = {
  id: 'value-set-twice',
  summary: 'an option that is set twice in one stanza: the first value never counts',
  *find({ sources }) {
    yield* inItems(sources.items, 'global', new Map());
    for (const items of sources.included.values()) yield* inItems(items, 'global', new Map());
  },
};

/** @param last where each option of this file, with its scopes before it, was set last */
function* inItems(items: readonly Item[], path: string, last: Map<string, Place>): Iterable<Finding> {
  for (const item of items) {
    if (item.kind === 'stanza') {
      yield* inItems(item.items, `${path}\n${item.name.toLowerCase()}\t${item.instance ?? ''}`, last);
    } else if (item.kind === 'option') {
      const key = `${path}\n${item.name.toLowerCase()}`;
      const before = last.get(key);
      if (before)
        yield {
          place: before,
          text: `${item.name} is set again on line ${item.at.line}, in the same scope: this value never counts`,
        };
      last.set(key, item.at);
    }
  }
}
