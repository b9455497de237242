import type { SettingStanza } from '../live/generation.ts';
import type { Option } from '../option.ts';
import type { Assignment, Stanza } from '../tree/stanza.ts';
import type { PagedView } from './view.ts';

/**
 * Stanzas that set any of these options, outer ones first. For checks of what one value alone cannot tell: that a file
 * is there, that two belong together. Of a hundred thousand domains only those are made ready that have a say.
 */
export function settingStanzas(
  root: Stanza,
  global: PagedView,
  options: readonly Option<unknown>[],
): readonly SettingStanza[] {
  const names = [...new Set(options.map((option) => option.name))];
  const found: SettingStanza[] = [];
  const visit = (around: readonly Stanza[], stanza: Stanza): void => {
    const chain = [stanza, ...around];
    if (stanza.options.size > 0 && names.some((name) => stanza.options.has(name))) found.push(here(chain, global));
    for (const ofType of stanza.children.values()) for (const child of ofType.values()) visit(chain, child);
  };
  visit([], root);
  return found;
}

/** @param chain  the stanza, then those around it */
function here(chain: readonly Stanza[], global: PagedView): SettingStanza {
  return {
    path: chain.toReversed().map(({ type, instance }) => ({ type, instance })),
    placeOf: (option) => assigned(chain[0], option)?.assignment.value.at,
    get<T>(option: Option<T>): T {
      for (const stanza of chain) {
        const found = assigned(stanza, option);
        // Read with the type of this very option.
        if (found !== undefined) return found.assignment.values[found.index] as T;
      }
      return global.get(option);
    },
  };
}

function assigned(
  stanza: Stanza | undefined,
  option: Option<unknown>,
): { readonly assignment: Assignment; readonly index: number } | undefined {
  const assignment = stanza?.options.get(option.name);
  const index = assignment?.entry.declared.indexOf(option) ?? -1;
  return assignment === undefined || index === -1 ? undefined : { assignment, index };
}
