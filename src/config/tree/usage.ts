import type { Place } from '../option.ts';
import { BUILT_IN } from '../schema/declare.ts';
import type { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { type Stanza, stanzaTitle } from './stanza.ts';
import { unservedOf } from './unserved.ts';

/** An option that a configuration sets, or a stanza that it has. */
export interface UsedSetting {
  readonly kind: 'option' | 'stanza';
  /** Lower case. */
  readonly name: string;
  /** Type of the scope it stands in. */
  readonly scope: string;
  /** `TLS_Key in Listen ":25"`. */
  readonly title: string;
  readonly place: Place;
  /** False also for what stands in a stanza that nobody reads. */
  readonly implemented: boolean;
  /** Parts of its value that change nothing yet. */
  readonly parts: readonly string[];
}

/**
 * What a configuration uses, in the order of its text as far as a merged tree has it: of a value that is set twice in one
 * stanza only the one that counts. Nothing that is built in.
 */
export function usedSettings(root: Stanza, schema: Schema): readonly UsedSetting[] {
  const used: UsedSetting[] = [];
  const visit = (stanza: Stanza, served: boolean): void => {
    for (const [name, assigned] of stanza.options) {
      const { at } = assigned;
      if (at.file === BUILT_IN.file) continue;
      const unserved = unservedOf(assigned, stanza);
      used.push({
        kind: 'option',
        name,
        scope: stanza.type,
        title: `${spelling(name)} in ${stanzaTitle(stanza)}`,
        place: at,
        implemented: served && unserved !== 'all',
        parts: unserved === 'all' ? [] : unserved,
      });
    }
    for (const ofType of stanza.children.values()) {
      for (const child of ofType.values()) {
        const implemented = served && schema.implemented(child.type);
        if (child.at.file !== BUILT_IN.file) {
          used.push({
            kind: 'stanza',
            name: child.type,
            scope: stanza.type,
            title: `${stanzaTitle(child)} in ${stanzaTitle(stanza)}`,
            place: child.at,
            implemented,
            parts: [],
          });
        }
        visit(child, implemented);
      }
    }
  };
  visit(root, true);
  return used;
}
