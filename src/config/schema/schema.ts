import { nearest } from '../../base/index.ts';
import type { Option, ValueType } from '../option.ts';
import { catalogue, type OptionRow, type ScopeRow } from './catalogue.ts';
import { configOptions } from './config-options.ts';
import { typeOfRow } from './row-types.ts';

/** What is known about one name in one scope. */
export interface OptionEntry {
  readonly name: string;
  /** Those who read it; none when it is only accepted. */
  readonly declared: readonly Option<unknown>[];
  readonly type: ValueType<unknown>;
  readonly dynamic: boolean;
  /** The kind of stanza that its value names. */
  readonly refersTo: string | undefined;
  /** The default as the catalogue has it, for options that nobody declared. */
  readonly catalogued: unknown;
}

/** Scopes that this room and the rooms above it serve, whatever modules there are. */
const CORE_SCOPES = [
  'global',
  'binding_group',
  'binding',
  'domain',
  'host',
  'pathway_group',
  'pathway',
  'esmtp_listener',
  'control_listener',
  'ecstream_listener',
  'http_listener',
  'listen',
  'peer',
];

/** Which names may stand where: the catalogue, and what the rooms of this program have declared. */
export class Schema {
  readonly declared: readonly Option<unknown>[];
  readonly #options = new Map<string, Map<string, OptionEntry>>();
  readonly #scopes = new Map<string, Map<string, ScopeRow>>();
  readonly #modules = new Set<string>();
  readonly #implemented: ReadonlySet<string>;

  /** @param implemented names of stanzas that something reads, beyond the core scopes */
  constructor(declared: readonly Option<unknown>[], implemented: readonly string[]) {
    this.declared = [...new Set(declared)];
    this.#implemented = new Set([...CORE_SCOPES, ...implemented]);
    for (const row of catalogue.scopes) {
      for (const parent of row.scopes) entryOf(this.#scopes, parent).set(row.name, row);
      if (row.module === row.name) this.#modules.add(row.name);
    }
    for (const row of catalogue.modules) this.#modules.add(row.name);
    const top = entryOf(this.#scopes, 'global');
    for (const name of implemented) {
      if (top.has(name) || name.includes(' ') || this.#known(name)) continue;
      top.set(name, { name, scopes: ['global'], instance: 'optional', module: name });
      this.#modules.add(name);
    }
    for (const row of catalogue.options) this.#addRow(row);
    for (const each of this.declared) this.#addDeclared(each);
  }

  /** @returns what `name` is as an option in `scope`, undefined when it may not stand there */
  option(scope: string, name: string): OptionEntry | undefined {
    return (
      this.#options.get(scope)?.get(name) ??
      (this.#modules.has(scope) ? this.#options.get('*module')?.get(name) : undefined)
    );
  }

  /** @returns what `name` is as a stanza in `parent`, undefined when it may not stand there */
  scope(parent: string, name: string): ScopeRow | undefined {
    return this.#scopes.get(parent)?.get(name);
  }

  implemented(scope: string): boolean {
    return this.#implemented.has(scope);
  }

  /** Names of stanzas that something reads. */
  get implementedNames(): Iterable<string> {
    return this.#implemented;
  }

  isModule(scope: string): boolean {
    return this.#modules.has(scope);
  }

  /** @returns scopes that may hold a stanza of this type */
  parentsOf(type: string): readonly string[] {
    const parents: string[] = [];
    for (const [parent, types] of this.#scopes) if (types.has(type)) parents.push(parent);
    return parents.sort();
  }

  /** @returns types of stanzas that may stand in a scope */
  childrenOf(scope: string): readonly string[] {
    return [...(this.#scopes.get(scope)?.keys() ?? [])].sort();
  }

  /** @returns scopes in which an option or a stanza of this name may stand */
  scopesOf(name: string): readonly string[] {
    const scopes: string[] = [];
    for (const [scope, entries] of this.#options) if (entries.has(name)) scopes.push(scope);
    for (const [scope, entries] of this.#scopes) if (entries.has(name) && !scopes.includes(scope)) scopes.push(scope);
    return scopes.sort();
  }

  /** @returns the entry of an option by its name alone, from any scope */
  anywhere(name: string): OptionEntry | undefined {
    for (const entries of this.#options.values()) {
      const entry = entries.get(name);
      if (entry) return entry;
    }
    return undefined;
  }

  /** @returns the known name in this scope that looks most like what was written */
  nearest(scope: string, name: string, kind: 'option' | 'scope'): string | undefined {
    const first = kind === 'option' ? this.#optionNames(scope) : [...(this.#scopes.get(scope)?.keys() ?? [])];
    const second = kind === 'option' ? [...(this.#scopes.get(scope)?.keys() ?? [])] : this.#optionNames(scope);
    return nearest(name, first) ?? nearest(name, second);
  }

  #optionNames(scope: string): readonly string[] {
    const names = [...(this.#options.get(scope)?.keys() ?? [])];
    return this.#modules.has(scope) ? [...names, ...(this.#options.get('*module')?.keys() ?? [])] : names;
  }

  #known(name: string): boolean {
    return catalogue.scopes.some((row) => row.name === name);
  }

  #addRow(row: OptionRow): void {
    if (row.scopes.includes('*')) return;
    const entry: OptionEntry = {
      name: row.name,
      declared: [],
      type: typeOfRow(row),
      dynamic: row.dynamic !== false,
      refersTo: row.refersTo,
      catalogued: row.default,
    };
    for (const scope of row.scopes) entryOf(this.#options, scope).set(row.name, entry);
  }

  #addDeclared(option: Option<unknown>): void {
    for (const scope of option.scopes) {
      const entries = entryOf(this.#options, scope);
      const before = entries.get(option.name);
      entries.set(option.name, {
        name: option.name,
        declared: [...(before?.declared ?? []), option],
        type: option.type,
        dynamic: option.dynamic && (before === undefined || before.declared.length === 0 || before.dynamic),
        refersTo: before?.refersTo,
        catalogued: before?.catalogued,
      });
    }
  }
}

/**
 * The schema of a program, without a configuration.
 *
 * @param declared options that its rooms and modules read, beyond those of this room
 * @param modules names of stanzas that something serves beyond the core scopes
 */
export function configSchema(declared: readonly Option<unknown>[], modules: readonly string[]): Schema {
  return new Schema([...configOptions, ...declared], modules);
}

function entryOf<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let entry = map.get(key);
  if (!entry) {
    entry = new Map();
    map.set(key, entry);
  }
  return entry;
}
