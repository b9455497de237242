import type { Query } from '../fallback/chain.ts';
import { effective } from './effective.ts';
import type { LintRule } from './rule.ts';

export const disabledListener: LintRule = {
  id: 'disabled-listener',
  summary: 'a Listen stanza that is switched off, so that nothing in it counts',
  *find({ generation }) {
    for (const [listener, ofType] of generation.tree.children) {
      if (!listener.endsWith('_listener')) continue;
      for (const listen of ofType.get('')?.children.get('listen')?.values() ?? []) {
        const query: Query = {
          kind: 'receiving',
          listener,
          endpoint: listen.instance,
          client: undefined,
          pathway: undefined,
        };
        if (effective(generation, query, 'enable')?.values[0] === false)
          yield {
            place: listen.at,
            text: `Listen "${listen.written ?? listen.instance}" is disabled: nobody can connect, and nothing in it counts`,
          };
      }
    }
  },
};
