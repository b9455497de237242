import { readFileSync } from 'node:fs';
import { type CatalogueData, type ModuleRow, type OptionRow, type ScopeRow, UNITS, type Unit } from './rows.ts';

/** What catalogue/descriptions.json says of an option: of all rows of its name, or of those that may stand in `scopes`. */
interface OptionDescription {
  readonly name: string;
  readonly scopes?: readonly string[];
  /** At most 100 characters, in our own words: what it does, and what special values mean. */
  readonly summary: string;
  /** Left out where the type tells it. */
  readonly unit?: Unit;
  /** Where the reference is wrong or lacks something that the manual's page gives; `why` says how we know. */
  readonly correct?: Readonly<
    Partial<Pick<OptionRow, 'value' | 'default' | 'defaults' | 'enum' | 'scopes' | 'dynamic'>>
  >;
  readonly why?: string;
}

interface NameDescription {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly summary: string;
}

interface Descriptions {
  readonly options: readonly OptionDescription[];
  readonly scopes: readonly NameDescription[];
  /** Of modules without a stanza; the others are described by theirs. */
  readonly modules: readonly NameDescription[];
}

const UNIT_OF_TYPE: Readonly<Record<string, Unit>> = {
  duration_s: 'seconds',
  duration_unit_string: 'seconds',
  duration_ms: 'milliseconds',
  percent: 'percent',
  size_bytes: 'bytes',
};

/**
 * Gives each row its summary, unit and corrections.
 *
 * @throws Error when a row has no description or a description no row, or when a correction has no reason or changes nothing:
 *   the files have drifted apart
 */
export function describe(data: CatalogueData): CatalogueData {
  const written = JSON.parse(readFileSync(new URL('./descriptions.json', import.meta.url), 'utf8')) as Descriptions;
  const used = new Set<NameDescription>();
  const find = <T extends NameDescription>(list: readonly T[], name: string, scopes: readonly string[]): T => {
    const named = list.filter((each) => each.name === name);
    const found =
      named.find((each) => each.scopes?.some((scope) => scopes.includes(scope))) ??
      named.find((each) => each.scopes === undefined);
    if (!found) throw new Error(`no description of ${name} in ${scopes.join(', ')}`);
    used.add(found);
    return found;
  };
  const options = data.options.map((row) => describedOption(row, find(written.options, row.name, row.scopes)));
  const scopes = data.scopes.map(
    (row): ScopeRow => ({ ...row, summary: find(written.scopes, row.name, row.scopes).summary }),
  );
  const modules = data.modules.map((row): ModuleRow => {
    const own = written.modules.find((each) => each.name === row.name);
    if (own) used.add(own);
    return { ...row, summary: (own ?? find(written.scopes, row.name, ['global'])).summary };
  });
  for (const each of [...written.options, ...written.scopes, ...written.modules]) {
    if (!used.has(each))
      throw new Error(`${each.name} in ${each.scopes?.join(', ') ?? 'any scope'} is described, yet there is none`);
  }
  return { options, scopes, modules };
}

function describedOption(row: OptionRow, { summary, unit, correct, why }: OptionDescription): OptionRow {
  const where = `${row.name} in ${row.scopes.join(', ')}`;
  if (correct && !why) throw new Error(`the correction of ${where} has no reason`);
  for (const [key, value] of Object.entries(correct ?? {})) {
    if (JSON.stringify(value) === JSON.stringify(row[key as keyof OptionRow]))
      throw new Error(`the correction of ${where} says of ${key} what the reference says too`);
  }
  const { name, scopes, value, module, refersTo, summary: _, unit: __, ...rest } = { ...row, ...correct };
  const told = UNIT_OF_TYPE[value];
  if (unit && told) throw new Error(`the type of ${where} tells its unit`);
  if (unit && !UNITS.includes(unit)) throw new Error(`${where}: ${unit} is no unit of UNITS`);
  const counted = unit ?? told;
  return {
    name,
    scopes,
    value,
    ...rest,
    ...(module ? { module } : {}),
    ...(refersTo ? { refersTo } : {}),
    ...(counted ? { unit: counted } : {}),
    summary,
  };
}
