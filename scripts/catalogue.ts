/**
 * Writes src/config/schema/catalogue.json from test/reference: `node scripts/catalogue.ts`. The catalogue is the only source
 * of scopes, types and defaults; the reference files overlap and differ, and how they are merged is told here. What they lack
 * stands in catalogue/additions.json, with the page of the manual; descriptions, units and corrections in
 * catalogue/descriptions.json.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from './catalogue/describe.ts';
import type { CatalogueData, OptionRow, ScopeRow } from './catalogue/rows.ts';

interface ReferenceRow {
  name: string;
  kind: string;
  scopes: string[];
  value: string;
  default?: unknown;
  enum?: string[];
  enum_closed?: boolean;
  aliases?: Record<string, string>;
  dynamic: boolean;
  module?: string;
  refers_to?: string;
  summary?: string;
  instance?: boolean;
  impetus_default?: unknown;
}
interface SendingRow {
  name: string;
  value_type: string;
  default: unknown;
  unit: string | null;
  scopes: string[];
  restart: boolean;
  note?: string;
  impetus_default?: unknown;
  default_in_host_scope?: unknown;
}
interface ModuleOption {
  name: string;
  default: unknown;
  note?: string;
  module?: string;
}
interface ReferenceModule {
  name: string;
  kind: string;
  purpose: string;
  tier: string;
  singleton: boolean | null;
  options: ModuleOption[];
}

/** We apply these at run time although their pages ask for a restart (spec: dynamic or not). */
const APPLIED_AT_RUN_TIME = new Set(['bind_address', 'opendkim_sign']);
/** The reference gives a sentence where a default would stand. */
const DEFAULT_IN_PROSE = new Set(['enable_dane', 'enable_mta_sts', 'mailerdaemon']);
/** Stanzas named otherwise than the row that lists their options. */
const STANZAS_OF: Readonly<Record<string, readonly string[]>> = { spf: ['spf', 'spf_v1', 'senderid'] };
/** Stanzas and options that the manual shows and the reference lacks, each with its page. */
interface Additions {
  readonly options: readonly (OptionRow & { readonly page: string })[];
  readonly scopes: readonly (ScopeRow & { readonly page: string })[];
}

/** @param folder with options.json, sending-options.json and modules.json */
export function buildCatalogue(folder: string): CatalogueData {
  return describe(mergeReference(folder));
}

function mergeReference(folder: string): CatalogueData {
  const load = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'));
  const rows = load('options') as ReferenceRow[];
  const sending = load('sending-options') as {
    options: SendingRow[];
    module_options: (ModuleOption & { module: string })[];
  };
  const { modules } = load('modules') as { modules: ReferenceModule[] };
  const sendingByName = new Map(sending.options.map((row) => [row.name.toLowerCase(), row]));
  const moduleByName = new Map(modules.map((row) => [row.name, row]));

  const options: OptionRow[] = [];
  const scopes: ScopeRow[] = [];
  for (const row of rows) {
    if (row.kind === 'scope') scopes.push(scopeRow(row, moduleByName.get(row.name)));
    else options.push(optionRow(row, sendingByName.get(row.name)));
  }
  const named = Map.groupBy(options, (row) => row.name);
  for (const row of sending.options) {
    if (row.value_type !== 'scope' && !named.has(row.name.toLowerCase())) options.push(fromSending(row));
  }

  const additions = JSON.parse(
    readFileSync(new URL('./catalogue/additions.json', import.meta.url), 'utf8'),
  ) as Additions;
  scopes.push(...additions.scopes.map(withoutPage));

  const places = new Set(options.flatMap((row) => row.scopes.map((scope) => `${scope}:${row.name}`)));
  const addOfModule = (module: string, listed: ModuleOption): void => {
    const name = listed.name.toLowerCase();
    if (
      !/^[a-z0-9_-]+$/.test(name) ||
      places.has(`${module}:${name}`) ||
      scopes.some((scope) => scope.name === name && scope.scopes.includes(module))
    )
      return;
    places.add(`${module}:${name}`);
    options.push(fromModule(module, name, listed, named.get(name) ?? []));
  };
  for (const module of modules) {
    if (module.kind === 'core facility') continue;
    if (!scopes.some((scope) => scope.name === module.name && scope.scopes.includes('global'))) {
      scopes.push({
        name: module.name,
        scopes: ['global'],
        instance: instanceRule(module),
        module: module.name,
        summary: module.purpose,
      });
    }
    for (const listed of module.options) addOfModule(module.name, listed);
  }
  for (const listed of sending.module_options) addOfModule(listed.module, listed);
  options.push(...additions.options.map(withoutPage));

  const byName = (
    one: { name: string; scopes: readonly string[] },
    other: { name: string; scopes: readonly string[] },
  ): number => compare(one.name, other.name) || compare(one.scopes.join(), other.scopes.join());
  return {
    options: options.sort(byName),
    scopes: scopes.sort(byName),
    modules: modules
      .map((row) => ({ name: row.name, tier: row.tier, instance: instanceRule(row), summary: row.purpose }))
      .sort((one, other) => compare(one.name, other.name)),
  };
}

function withoutPage<T extends { readonly page: string }>({ page: _, ...row }: T): Omit<T, 'page'> {
  return row;
}

/** One row a line. The formatter of the house may set it otherwise; only the data count. */
function catalogueText(data: CatalogueData): string {
  const list = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join(',\n');
  return `{"options":[\n${list(data.options)}\n],"scopes":[\n${list(data.scopes)}\n],"modules":[\n${list(data.modules)}\n]}\n`;
}

function optionRow(row: ReferenceRow, sending: SendingRow | undefined): OptionRow {
  const perScope =
    typeof row.default === 'object' && row.default !== null && !Array.isArray(row.default)
      ? { ...(row.default as Record<string, unknown>) }
      : undefined;
  let initial = perScope ? perScope.default : row.default;
  const ours = row.impetus_default ?? sending?.impetus_default;
  if (ours !== undefined) initial = ours;
  else if (initial === null && sending && sending.default !== null && !DEFAULT_IN_PROSE.has(row.name))
    initial = sending.default;
  if (perScope) delete perScope.default;
  const defaults: Record<string, unknown> = { ...perScope };
  if (sending?.default_in_host_scope !== undefined && row.scopes.includes('host'))
    defaults.host = sending.default_in_host_scope;
  const value = row.value === 'array' && row.enum && row.enum_closed !== false ? 'enum_array' : row.value;
  const summary = row.summary ?? sending?.note;
  return {
    name: row.name,
    scopes: row.scopes.flatMap((scope) => STANZAS_OF[scope] ?? [scope]),
    value,
    ...(initial === null || initial === undefined ? {} : { default: initial }),
    ...(Object.keys(defaults).length > 0 ? { defaults } : {}),
    ...(row.enum && row.enum_closed !== false ? { enum: row.enum } : {}),
    ...(row.aliases ? { aliases: row.aliases } : {}),
    ...(row.dynamic || APPLIED_AT_RUN_TIME.has(row.name) ? {} : { dynamic: false as const }),
    ...(row.module ? { module: row.module } : {}),
    ...(row.refers_to ? { refersTo: row.refers_to } : {}),
    ...(summary ? { summary } : {}),
  };
}

function scopeRow(row: ReferenceRow, module: ReferenceModule | undefined): ScopeRow {
  let instance: ScopeRow['instance'] = row.instance ? 'required' : 'none';
  // Where the two lists agree that a module has one stanza it has no name; otherwise the manual shows both forms.
  if (module && module.kind !== 'core facility')
    instance = module.singleton === true && !row.instance ? 'none' : 'optional';
  const summary = row.summary ?? module?.purpose;
  return {
    name: row.name,
    scopes: row.scopes,
    instance,
    ...(row.module ? { module: row.module } : {}),
    ...(summary ? { summary } : {}),
  };
}

function fromSending(row: SendingRow): OptionRow {
  const value =
    { bool: 'boolean', int: row.unit === 's' ? 'duration_s' : 'integer', path: 'path' }[row.value_type] ?? 'string';
  return {
    name: row.name,
    scopes: row.scopes,
    value,
    ...(row.default === null ? {} : { default: row.default }),
    ...(row.restart ? { dynamic: false as const } : {}),
    ...(row.note ? { summary: row.note } : {}),
  };
}

function fromModule(module: string, name: string, listed: ModuleOption, namesakes: readonly OptionRow[]): OptionRow {
  const types = new Set(namesakes.map((row) => row.value));
  const like = types.size === 1 ? namesakes[0] : undefined;
  const text = typeof listed.default === 'string' ? listed.default : undefined;
  // `(3,20)` and `<engine>_status` describe a default; they are none.
  const initial = text !== undefined && /[<>(]/.test(text) ? undefined : (listed.default ?? undefined);
  return {
    name,
    scopes: [module],
    value: like?.value ?? guess(initial),
    ...(initial === undefined ? {} : { default: initial }),
    ...(like?.enum ? { enum: like.enum } : {}),
    module,
    ...(listed.note ? { summary: listed.note } : {}),
  };
}

function guess(initial: unknown): string {
  const text = String(initial);
  if (text === 'true' || text === 'false') return 'boolean';
  return 'any';
}

function instanceRule(module: ReferenceModule): 'none' | 'optional' {
  return module.singleton === false ? 'optional' : 'none';
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  writeFileSync(`${root}/src/config/schema/catalogue.json`, catalogueText(buildCatalogue(`${root}/test/reference`)));
}
