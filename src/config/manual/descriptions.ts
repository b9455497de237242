import { ValueError } from '../option.ts';
import type { ModuleCoverage, OptionCoverage, StanzaCoverage, State } from '../schema/coverage.ts';
import type { Schema } from '../schema/schema.ts';
import { type Setting, shapeOf, strictest } from '../schema/settings.ts';
import { spelling } from '../schema/spelling.ts';
import type { ValueShape } from '../shape.ts';
import { parse } from '../text/grammar.ts';
import { type DefaultValue, defaultOf, defaultsByScope } from './defaults.ts';
import type { FallbackPath, FallbackWords } from './fallback-words.ts';
import { shapeTitle, spellingsOf, unitOf } from './kinds.ts';
import { configPage, modulePage } from './pages.ts';
import { around, sampleHead, sampleLine, sampleValue } from './sample-lines.ts';

/** All that is known about one option. The schema for programs has it as JSON, the manual as text. */
export interface OptionDescription {
  /** As displayed: `Max_Outbound_Connections`. */
  readonly name: string;
  /** As compared: lower case. */
  readonly key: string;
  readonly summary: string;
  readonly type: ValueShape;
  readonly typeTitle: string;
  /** Values that are accepted, as a file has them; examples where there are endlessly many. */
  readonly spellings: readonly string[];
  /** What a number without a unit counts. */
  readonly unit?: string;
  readonly default?: DefaultValue;
  readonly defaultByScope?: Readonly<Record<string, DefaultValue>>;
  /** Lower case; `*` is everywhere, `*module` every module's stanza. */
  readonly scopes: readonly string[];
  /** False: a change is used after the next start. */
  readonly dynamic: boolean;
  readonly status: State;
  readonly implementedIn: readonly string[];
  /** Parts of values that change nothing yet. */
  readonly valuesNotImplemented: readonly string[];
  readonly fallback: readonly FallbackPath[];
  readonly module?: string;
  /** The kind of stanza that its value names. */
  readonly refersTo?: string;
  /** Page of Momentum's manual. */
  readonly manualPage?: string;
  /** False: Momentum does not have it. */
  readonly inMomentum: boolean;
  readonly example: string;
}

/** One type of stanza, with all places where it may stand. */
export interface ScopeDescription {
  readonly name: string;
  readonly key: string;
  readonly summary: string;
  /** `none`: there is one, without a name; `optional`: without one it has its own name. */
  readonly instance: string;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  /** Keys of the options that may stand in it. */
  readonly options: readonly string[];
  readonly status: State;
  readonly implementedIn: readonly string[];
  readonly module?: string;
  readonly manualPage?: string;
  readonly example: string;
}

export interface ModuleDescription {
  readonly name: string;
  readonly summary: string;
  /** `must`, `nice`, `never` (its stanza is accepted, nothing else), or empty for one of our own. */
  readonly tier: string;
  readonly status: State;
  readonly optionsImplemented: number;
  readonly optionsAll: number;
  /** Keys of the options in its stanza; those that every module has are not among them. */
  readonly options: readonly string[];
  /** False for facilities of the core, which have no stanza. */
  readonly stanza: boolean;
  readonly manualPage?: string;
}

export function describeOption(row: OptionCoverage, schema: Schema, fallback: FallbackWords): OptionDescription {
  const { setting } = row;
  const shape = shapeOf(setting);
  const initial = defaultOf(setting, shape);
  const examples = strictest(setting)?.examples;
  const spellings = (examples ?? spellingsOf(shape)).filter((spelling) => isRead(spelling, setting));
  const byScope = defaultsByScope(setting);
  const unit = setting.row?.unit ?? unitOf(shape);
  const refersTo = setting.row?.refersTo;
  const page = pageOf(row, schema);
  const module = setting.row?.module ?? setting.scopes.find((scope) => schema.isModule(scope));
  return {
    name: spelling(setting.name),
    key: setting.name,
    summary: row.summary,
    type: shape,
    typeTitle: titleOf(setting, shape),
    spellings,
    ...(unit === undefined ? {} : { unit }),
    ...(initial === undefined ? {} : { default: initial }),
    ...(byScope === undefined ? {} : { defaultByScope: byScope }),
    scopes: setting.scopes,
    dynamic:
      setting.declared.length > 0 ? setting.declared.every((each) => each.dynamic) : setting.row?.dynamic !== false,
    status: row.state,
    implementedIn: row.served,
    valuesNotImplemented: row.parts,
    fallback: fallback.paths(setting.scopes),
    ...(module === undefined ? {} : { module }),
    ...(refersTo === undefined ? {} : { refersTo }),
    ...(page === undefined ? {} : { manualPage: page }),
    inMomentum: setting.row !== undefined,
    example: sampleLine(schema, setting.name, setting.scopes, sampleValue(spellings, initial, refersTo)),
  };
}

/** What the code that reads it says of a value, which may be more than its shape does: `a banner that begins with 220`. */
function titleOf(setting: Setting, shape: ValueShape): string {
  const type = strictest(setting);
  return type === undefined || setting.row?.enum !== undefined ? shapeTitle(shape) : type.title;
}

/** Whether a value is accepted now: the words of Momentum that are not implemented may be refused. */
function isRead(spelling: string, { declared }: Setting): boolean {
  const [item] = parse(`x = ${spelling}\n`, '', []);
  if (item?.kind !== 'option') return false;
  for (const { type } of declared) {
    try {
      type.read(item.value);
    } catch (error) {
      if (error instanceof ValueError) return false;
      throw error;
    }
  }
  return true;
}

/** @param rows those of one name: a stanza may be one thing here and another there */
export function describeScope(
  rows: readonly StanzaCoverage[],
  options: readonly OptionCoverage[],
  schema: Schema,
): ScopeDescription {
  const [first] = rows;
  const key = first?.row.name ?? 'global';
  const instances = new Set(rows.map(({ row }) => row.instance));
  const served = rows.flatMap((row) => row.served);
  const unserved = rows.flatMap((row) => row.unserved);
  const module = first?.row.module;
  const page = configPage(key) ?? (module === undefined ? undefined : modulePage(module));
  return {
    name: key === 'global' ? 'Global' : spelling(key),
    key,
    summary: rows.map(({ summary }) => summary).find((summary) => summary !== '') ?? '',
    instance: instances.size === 1 ? (first?.row.instance ?? 'none') : first === undefined ? 'none' : 'optional',
    parents: [...served, ...unserved].sort(),
    children: schema.childrenOf(key),
    options: namesIn(key, options, schema),
    status:
      first === undefined || (served.length > 0 && unserved.length === 0)
        ? 'implemented'
        : served.length > 0
          ? 'in part'
          : 'not implemented yet',
    implementedIn: served,
    ...(module === undefined ? {} : { module }),
    ...(page === undefined ? {} : { manualPage: page }),
    example: first === undefined ? '' : around(schema, key, '').replace('{  }', '{ }'),
  };
}

export function describeModule(
  row: ModuleCoverage,
  options: readonly OptionCoverage[],
  schema: Schema,
): ModuleDescription {
  const page = modulePage(row.name);
  return {
    name: row.name,
    summary: row.summary,
    tier: row.tier,
    status: row.state,
    optionsImplemented: row.options.implemented,
    optionsAll: row.options.all,
    options: options.filter(({ setting }) => setting.scopes.includes(row.name)).map(({ setting }) => setting.name),
    stanza: schema.scope('global', row.name) !== undefined,
    ...(page === undefined ? {} : { manualPage: page }),
  };
}

/** The head of a module's stanza, as it may be written. */
export const moduleHead = (schema: Schema, module: string): string => sampleHead(schema, 'global', module);

function namesIn(scope: string, options: readonly OptionCoverage[], schema: Schema): readonly string[] {
  const wanted = schema.isModule(scope) ? [scope, '*module'] : [scope];
  const names = options.flatMap(({ setting }) =>
    wanted.some((each) => setting.scopes.includes(each)) ? [setting.name] : [],
  );
  return [...new Set(names)].sort();
}

/** An option of a module is told on the module's page, others on a page of their own or on that of their stanza. */
function pageOf({ setting }: OptionCoverage, schema: Schema): string | undefined {
  if (setting.row === undefined) return undefined;
  const module = setting.row.module;
  const onModulePage = module === undefined ? undefined : modulePage(module);
  if (setting.scopes.every((scope) => schema.isModule(scope))) {
    const [scope] = setting.scopes;
    return onModulePage ?? (scope === undefined ? undefined : modulePage(scope)) ?? configPage(scope ?? '');
  }
  const [only, ...more] = setting.scopes;
  const ofStanza = only !== undefined && more.length === 0 && only !== 'global' ? configPage(only) : undefined;
  return configPage(setting.name) ?? onModulePage ?? ofStanza;
}
