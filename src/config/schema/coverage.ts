import { type Option, ValueError } from '../option.ts';
import type { ValueShape } from '../shape.ts';
import { catalogue, type ScopeRow } from './catalogue.ts';
import { rawOf } from './declare.ts';
import type { Schema } from './schema.ts';
import { type Setting, settingsOf, shapeOf } from './settings.ts';

/**
 * What of Momentum's configuration is implemented: the one place from which the check, the documents, the schema and the
 * tests count. A setting is an option in one of the scopes where it may stand.
 */
export type State = 'implemented' | 'in part' | 'not implemented yet';

export interface OptionCoverage {
  readonly setting: Setting;
  readonly state: State;
  /** Scopes in which something reads it, and those in which it is only accepted. */
  readonly served: readonly string[];
  readonly unserved: readonly string[];
  /** Parts of values that are accepted, or known to Momentum, and change nothing yet: `STARTTLS`. */
  readonly parts: readonly string[];
  readonly summary: string;
}

export interface StanzaCoverage {
  readonly row: ScopeRow;
  readonly state: State;
  /** Scopes that may hold it, and in which it is read or only accepted. */
  readonly served: readonly string[];
  readonly unserved: readonly string[];
  readonly summary: string;
}

export interface ModuleCoverage {
  readonly name: string;
  readonly tier: string;
  readonly state: State;
  /** Of the options that may stand in its stanza, beyond those that every module has. */
  readonly options: Count;
  readonly summary: string;
}

export interface Count {
  readonly implemented: number;
  readonly all: number;
}

export const FAMILIES = ['sending', 'host', 'receiving', 'listener', 'global', 'module'] as const;
export type Family = (typeof FAMILIES)[number];

export interface Coverage {
  readonly options: readonly OptionCoverage[];
  readonly stanzas: readonly StanzaCoverage[];
  readonly modules: readonly ModuleCoverage[];
  /** Settings. */
  readonly families: Readonly<Record<Family, Count>>;
  readonly total: {
    readonly settings: Count;
    /** Options that are implemented wherever they may stand, and with all their values; `inPart` are others of which something is. */
    readonly options: Count & { readonly inPart: number };
    readonly stanzas: Count;
    readonly modules: Count;
  };
}

export function coverageOf(schema: Schema): Coverage {
  const scopes = new Scopes(schema);
  const options = settingsOf(schema).map((setting) => optionCoverage(setting, scopes));
  const stanzas = [...stanzaRows(schema)].map((row) => stanzaCoverage(row, schema, scopes));
  const modules = moduleRows(schema).map((row) => moduleCoverage(row, options, schema));
  const places = options.flatMap(({ served, unserved }) => [
    ...served.map((scope) => ({ scope, implemented: true })),
    ...unserved.map((scope) => ({ scope, implemented: false })),
  ]);
  const inFamily = (family: Family): Count => count(places.filter(({ scope }) => scopes.family(scope) === family));
  return {
    options,
    stanzas,
    modules,
    families: {
      sending: inFamily('sending'),
      host: inFamily('host'),
      receiving: inFamily('receiving'),
      listener: inFamily('listener'),
      global: inFamily('global'),
      module: inFamily('module'),
    },
    total: {
      settings: count(places),
      options: { ...countStates(options), inPart: options.filter(({ state }) => state === 'in part').length },
      stanzas: countStates(stanzas),
      modules: countStates(modules),
    },
  };
}

/**
 * An option of several rooms is implemented where one of them reads it.
 *
 * @param declared those that may stand in the scope
 * @param listener of a Listen or Peer: what may stand there is read where its listener reads it
 */
export function isRead(declared: readonly Option<unknown>[], scope: string, listener?: string): boolean {
  return declared.some(
    (option) => option.unservedIn?.includes(scope) !== true && (listener === undefined || isReadBy(option, listener)),
  );
}

function isReadBy({ name, scopes, unservedIn, ofEveryListener }: Option<unknown>, listener: string): boolean {
  if (unservedIn?.includes(listener) === true) return false;
  if (ofEveryListener === true || scopes.includes(listener)) return true;
  if (listener === 'ecstream_listener') return scopes.includes('esmtp_listener') && !OF_DIALOGUE.has(name);
  return !scopes.some((scope) => scope.endsWith('_listener'));
}

/** Clients of ECStream are judged as those of SMTP are; but they say no commands, and have one way to log in. */
const OF_DIALOGUE: ReadonlySet<string> = new Set([
  'authcrammd5parameters',
  'authdigestmd5parameters',
  'authloginparameters',
  'authscramsha256parameters',
  'banner_hostname',
  'context_protect',
  'idle_time',
  'max_bad_commands',
  'require_ehlo',
  'starttls_injection_policy',
  'static_banner',
]);

/** @returns the listener that the stanza of a key stands in, whose Listen and Peer stanzas are read where it is */
export function listenerOf(key: string): string | undefined {
  return /^[a-z]+_listener(?=:)/.exec(key)?.[0];
}

/** Which kind of scope a scope is, and whether something reads what stands in it. */
export class Scopes {
  readonly #schema: Schema;
  readonly #parents = new Map<string, Set<string>>();
  readonly #modules = new Set<string>(['*module']);
  readonly #reachable = new Map<string, boolean>();

  constructor(schema: Schema) {
    this.#schema = schema;
    for (const row of stanzaRows(schema)) {
      let parents = this.#parents.get(row.name);
      if (!parents) this.#parents.set(row.name, (parents = new Set()));
      for (const parent of row.scopes) parents.add(parent);
      if (row.module !== undefined && !LISTENERS.test(row.name)) this.#modules.add(row.name);
    }
    for (const row of catalogue.modules) this.#modules.add(row.name);
  }

  /** What stands in a module's nested stanzas belongs to the module. */
  family(scope: string): Family {
    if (scope === 'binding_group' || scope === 'binding' || scope === 'domain') return 'sending';
    if (scope === 'host') return 'host';
    if (scope === 'pathway' || scope === 'pathway_group') return 'receiving';
    if (LISTENERS.test(scope)) return 'listener';
    if (this.#modules.has(scope)) return 'module';
    const parents = this.#parents.get(scope);
    return parents && [...parents].every((parent) => this.#modules.has(parent)) ? 'module' : 'global';
  }

  /** @returns whether a stanza of this type is read in some place where it may stand */
  reachable(scope: string): boolean {
    let known = this.#reachable.get(scope);
    if (known === undefined) {
      // A stanza that may hold itself would ask again: by then it is not reachable that way.
      this.#reachable.set(scope, false);
      known = this.#find(scope);
      this.#reachable.set(scope, known);
    }
    return known;
  }

  #find(scope: string): boolean {
    if (scope === 'global' || scope === '*') return true;
    if (scope === '*module') return true;
    if (!this.#schema.implemented(scope)) return false;
    return [...(this.#parents.get(scope) ?? [])].some((parent) => this.reachable(parent));
  }
}

/** @returns words among the values of an option that are accepted, or known to Momentum, and change nothing yet */
export function unservedParts(setting: Setting): readonly string[] {
  const parts = new Set<string>();
  for (const word of wordsOf(shapeOf(setting))) {
    const raw = rawOf(word);
    for (const { type } of setting.declared) {
      try {
        type.read(raw);
        for (const part of type.unserved?.(raw) ?? []) parts.add(part);
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        parts.add(word);
      }
    }
  }
  return [...parts];
}

/** The stanzas of the catalogue, and those of modules that Momentum does not have. */
export function* stanzaRows(schema: Schema): Generator<ScopeRow> {
  yield* catalogue.scopes;
  const known = new Set(catalogue.scopes.map((row) => row.name));
  for (const name of schema.implementedNames) {
    const row = known.has(name) ? undefined : schema.scope('global', name);
    if (row) yield row;
  }
}

interface ModuleFacts {
  readonly name: string;
  readonly tier: string;
  readonly summary: string;
}

/** The modules of the catalogue, and our own. */
export function moduleRows(schema: Schema): readonly ModuleFacts[] {
  const known = new Set([...catalogue.modules, ...catalogue.scopes].map((row) => row.name));
  const own = [...schema.implementedNames].filter((name) => !known.has(name) && schema.isModule(name));
  return [...catalogue.modules, ...own.map((name) => ({ name, tier: '', summary: '' }))];
}

const LISTENERS = /^(?:.*_listener|listen|peer)$/;

function optionCoverage(setting: Setting, scopes: Scopes): OptionCoverage {
  const reads = (scope: string): boolean =>
    scope === '*' ||
    (scopes.reachable(scope) &&
      isRead(
        setting.declared.filter((option) => option.scopes.includes(scope)),
        scope,
      ));
  const served = setting.scopes.filter(reads);
  const unserved = setting.scopes.filter((scope) => !reads(scope));
  const parts = served.length === 0 ? [] : unservedParts(setting);
  return {
    setting,
    served,
    unserved,
    parts,
    state: stateOf(served.length, unserved.length + parts.length),
    summary: setting.row?.summary ?? setting.declared[0]?.summary ?? '',
  };
}

function stanzaCoverage(row: ScopeRow, schema: Schema, scopes: Scopes): StanzaCoverage {
  const reads = (parent: string): boolean => schema.implemented(row.name) && scopes.reachable(parent);
  const served = row.scopes.filter(reads);
  const unserved = row.scopes.filter((parent) => !reads(parent));
  return { row, served, unserved, state: stateOf(served.length, unserved.length), summary: row.summary ?? '' };
}

function moduleCoverage(module: ModuleFacts, options: readonly OptionCoverage[], schema: Schema): ModuleCoverage {
  const { name, tier, summary } = module;
  const ofModule = options.filter(({ setting }) => setting.scopes.includes(name));
  // Some are no stanzas but facilities of the core, under the name of the option that rules them.
  const ruling = schema.scope('global', name) ? undefined : options.find(({ setting }) => setting.name === name);
  const there = ruling ? ruling.state !== 'not implemented yet' : schema.implemented(name);
  const counted = ofModule.length === 0 && ruling ? [ruling] : ofModule;
  const missing = counted.filter(({ state }) => state !== 'implemented').length;
  return {
    name,
    tier,
    summary,
    state: stateOf(there ? 1 : 0, there ? missing : 1),
    options: countStates(counted),
  };
}

function stateOf(served: number, unserved: number): State {
  if (served === 0) return 'not implemented yet';
  return unserved === 0 ? 'implemented' : 'in part';
}

function wordsOf(shape: ValueShape): readonly string[] {
  switch (shape.kind) {
    case 'boolean':
      return ['true', 'false'];
    case 'enumeration':
      return shape.words;
    case 'array':
      return wordsOf(shape.items);
    case 'either':
      return shape.of.flatMap(wordsOf);
    default:
      return [];
  }
}

const count = (places: readonly { readonly implemented: boolean }[]): Count => ({
  implemented: places.filter(({ implemented }) => implemented).length,
  all: places.length,
});

const countStates = (rows: readonly { readonly state: State }[]): Count => ({
  implemented: rows.filter(({ state }) => state === 'implemented').length,
  all: rows.length,
});
