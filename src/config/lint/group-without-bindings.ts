import type { LintRule } from './rule.ts';

export const groupWithoutBindings: LintRule = {
  id: 'group-without-bindings',
  summary: 'a Binding_Group that no binding is in: its options and its Domain stanzas are never asked',
  *find({ generation }) {
    for (const [name, group] of generation.tree.children.get('binding_group') ?? []) {
      // The group `default` holds every binding of the top level, and the binding `default` is always there.
      if (name === 'default' || (group.children.get('binding')?.size ?? 0) > 0) continue;
      const domains = (group.children.get('domain')?.size ?? 0) + (group.children.get('host')?.size ?? 0);
      yield {
        place: group.at,
        text: `Binding_Group "${name}" has no Binding: ${domains > 0 ? `what its Domain and Host stanzas say (${domains}) is` : 'it is'} never asked`,
      };
    }
  },
};
