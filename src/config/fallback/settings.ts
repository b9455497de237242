import type { SettingStanza } from '../live/generation.ts';
import type { Option, Place } from '../option.ts';
import type { Stanza } from '../tree/stanza.ts';
import type { Compiled, Compiler } from './compile.ts';
import type { Cell, PagedView } from './view.ts';

/**
 * Stanzas that set any of these options, outer ones first. For checks of what one value alone cannot tell: that a file
 * is there, that two belong together.
 */
export function settingStanzas(
  root: Stanza,
  compiler: Compiler,
  global: PagedView,
  options: readonly Option<unknown>[],
): readonly SettingStanza[] {
  const slots = new Set(options.map((option) => option.slot));
  const found: SettingStanza[] = [];
  const visit = (around: readonly Compiled[], stanza: Stanza): void => {
    const chain = [compiler.compile(stanza), ...around];
    const [own] = chain;
    if (own?.cells.some((cell) => slots.has(cell.slot)) === true) found.push(here(chain, global));
    for (const ofType of stanza.children.values()) for (const child of ofType.values()) visit(chain, child);
  };
  visit([], root);
  return found;
}

/** @param chain  the stanza, then those around it */
function here(chain: readonly Compiled[], global: PagedView): SettingStanza {
  const cellIn = (compiled: Compiled | undefined, option: Option<unknown>): Cell | undefined =>
    compiled?.cells.find((cell) => cell.slot === option.slot);
  const [own] = chain;
  return {
    path: chain.toReversed().map(({ stanza: { type, instance } }) => ({ type, instance })),
    placeOf: (option: Option<unknown>): Place | undefined => cellIn(own, option)?.raw?.at,
    get<T>(option: Option<T>): T {
      for (const each of chain) {
        const cell = cellIn(each, option);
        // Read with the type of the option that owns the slot.
        if (cell !== undefined) return cell.value as T;
      }
      return global.get(option);
    },
  };
}
