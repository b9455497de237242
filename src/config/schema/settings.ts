import type { Option, ValueType } from '../option.ts';
import type { ValueShape } from '../shape.ts';
import { catalogue, type OptionRow } from './catalogue.ts';
import { typeOfRow } from './row-types.ts';
import type { Schema } from './schema.ts';

/** One option of the manual: a name, with the scopes in which it means the same. Several may share a name. */
export interface Setting {
  /** Lower case. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Undefined for an option that Momentum does not have. */
  readonly row: OptionRow | undefined;
  /** Those who read it, somewhere among its scopes. */
  readonly declared: readonly Option<unknown>[];
}

/** Every option of the catalogue and every one of our own, by name. */
export function settingsOf(schema: Schema): readonly Setting[] {
  const byName = Map.groupBy(schema.declared, (option) => option.name);
  const known = new Set<Option<unknown>>();
  const settings: Setting[] = catalogue.options.map((row) => {
    const declared = (byName.get(row.name) ?? []).filter((option) =>
      option.scopes.some((scope) => row.scopes.includes(scope)),
    );
    for (const option of declared) known.add(option);
    return { name: row.name, scopes: row.scopes, row, declared };
  });
  const own = schema.declared.filter((option) => !known.has(option));
  for (const same of Map.groupBy(own, (option) => `${option.name} ${option.scopes.join(' ')}`).values()) {
    const [first] = same;
    if (first) settings.push({ name: first.name, scopes: first.scopes, row: undefined, declared: same });
  }
  return settings.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
}

/**
 * What a value looks like. Momentum's list of words is the whole one, so it wins over the words that are read already;
 * a row that knows more than "a text" wins over a declaration that does not.
 */
export function shapeOf(setting: Setting): ValueShape {
  const declared = strictest(setting)?.shape;
  const { row } = setting;
  if (row === undefined) return declared ?? { kind: 'text' };
  const listed = typeOfRow(row).shape ?? { kind: 'any' };
  if (declared === undefined || row.enum !== undefined) return listed;
  return declared.kind === 'text' && listed.kind !== 'any' ? listed : declared;
}

/** The type of those who read it: of several the one that does not take any text. */
export function strictest({ declared }: Setting): ValueType<unknown> | undefined {
  return (declared.find(({ type }) => type.shape?.kind !== 'text') ?? declared[0])?.type;
}
