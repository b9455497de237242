import type { RawValue } from '../option.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { spelling } from '../schema/spelling.ts';
import type { Stanza } from './stanza.ts';

/** A scope as JSON. Texts are as written, whatever the type of the option; an anonymous scope has no `name`. */
export interface ScopeShape {
  readonly type: string;
  readonly name?: string;
  readonly options: Readonly<Record<string, ValueShape>>;
  readonly scopes: readonly ScopeShape[];
}

/** Arrays are arrays, dictionaries are objects; of equal keys the last one counts. */
export type ValueShape = string | readonly string[] | { readonly [key: string]: ValueShape };

/** A whole tree; what is built in is left out. */
export function treeShape(stanza: Stanza): ScopeShape {
  const scopes = [...stanza.children.values()].flatMap((ofType) =>
    [...ofType.values()].flatMap((child) => {
      const shape = treeShape(child);
      const empty = shape.scopes.length === 0 && Object.keys(shape.options).length === 0;
      return empty && child.at.file === BUILT_IN.file ? [] : [shape];
    }),
  );
  const options = [...stanza.options.values()]
    .filter(({ at }) => at.file !== BUILT_IN.file)
    .map(({ entry, value }): readonly [string, ValueShape] => [spelling(entry.name), valueShape(value)]);
  return {
    type: spelling(stanza.type),
    ...(stanza.written === undefined ? {} : { name: stanza.written }),
    options: Object.fromEntries(options),
    scopes,
  };
}

function valueShape(value: RawValue): ValueShape {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'array':
      return value.items.map((item) => item.text);
    case 'dictionary':
      return Object.fromEntries(value.entries.map((entry) => [entry.key, valueShape(entry.value)]));
  }
}
