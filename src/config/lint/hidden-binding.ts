import { bindingName } from '../../base/index.ts';
import type { LintRule } from './rule.ts';

export const hiddenBinding: LintRule = {
  id: 'hidden-binding',
  summary: 'a binding whose name another Binding_Group has taken already',
  *find({ generation }) {
    for (const [name, group] of generation.tree.children.get('binding_group') ?? []) {
      for (const binding of group.children.get('binding')?.values() ?? []) {
        const first = generation.groupOf(bindingName(binding.instance));
        if (first !== name)
          yield {
            place: binding.at,
            text: `Binding "${binding.instance}" is in Binding_Group "${first}" too, and mail of that binding goes by that one: this stanza is never used`,
          };
      }
    }
  },
};
