import { spelling } from '../schema/spelling.ts';
import { type Stanza, stanzaTitle } from '../tree/stanza.ts';
import { isCatchAll } from './catch-all.ts';
import type { Finding, LintRule } from './rule.ts';

/** The domain stanzas of a group stand before its bindings (docs of the fallback): that is easy to get wrong. */
export const hiddenSendingValue: LintRule = {
  id: 'hidden-sending-value',
  summary: 'a value for all domains that a Domain stanza for every name, or every binding, replaces',
  *find({ generation: { tree } }) {
    yield* hiddenBy(tree, catchAlls(tree));
    for (const binding of tree.children.get('binding')?.values() ?? []) yield* hiddenBy(binding, catchAlls(binding));
    for (const group of tree.children.get('binding_group')?.values() ?? []) {
      const ofGroup = catchAlls(group);
      yield* hiddenBy(group, ofGroup);
      const bindings = [...(group.children.get('binding')?.values() ?? [])];
      for (const binding of bindings) yield* hiddenBy(binding, [...catchAlls(binding), ...ofGroup]);
      yield* setByAll(group, bindings);
    }
  },
};

function catchAlls(container: Stanza): readonly Stanza[] {
  return [...(container.children.get('domain')?.values() ?? [])].filter(isCatchAll);
}

function* hiddenBy(container: Stanza, domains: readonly Stanza[]): Iterable<Finding> {
  for (const [name, set] of container.options) {
    const other = domains.find((each) => each.options.has(name));
    if (other)
      yield {
        place: set.at,
        text: `${spelling(name)} of ${stanzaTitle(container)} never counts for mail: ${stanzaTitle(other)} holds for every domain, and stands before it`,
      };
  }
}

/** The group `default` has bindings that are not written in it. */
function* setByAll(group: Stanza, bindings: readonly Stanza[]): Iterable<Finding> {
  if (group.instance === 'default' || bindings.length === 0) return;
  for (const [name, set] of group.options) {
    if (bindings.every((binding) => binding.options.has(name)))
      yield {
        place: set.at,
        text: `${spelling(name)} of ${stanzaTitle(group)} never counts: each Binding in it sets its own`,
      };
  }
}
