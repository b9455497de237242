import { nearest } from '../../base/index.ts';
import { type Coverage, coverageOf, type OptionCoverage } from '../schema/coverage.ts';
import type { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import {
  describeModule,
  describeOption,
  describeScope,
  type ModuleDescription,
  type OptionDescription,
  type ScopeDescription,
} from './descriptions.ts';
import { FallbackWords } from './fallback-words.ts';

/** What an entry of the manual may be about. */
export const SUBJECTS = ['option', 'scope', 'module'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** The reference of options, scopes and modules, made from the schema. Names are taken in any case. */
export class Manual {
  readonly schema: Schema;
  #coverage: Coverage | undefined;
  #fallback: FallbackWords | undefined;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  get coverage(): Coverage {
    this.#coverage ??= coverageOf(this.schema);
    return this.#coverage;
  }

  /** @returns every option of that name; with `scope` those that may stand in it */
  options(name: string, scope?: string): readonly OptionDescription[] {
    const wanted = name.toLowerCase();
    const where = scope?.toLowerCase();
    return this.coverage.options
      .filter(
        ({ setting }) => setting.name === wanted && (where === undefined || this.#mayStand(setting.scopes, where)),
      )
      .map((row) => this.#option(row));
  }

  /** @returns the stanza of that name; `global` is the top level */
  scope(name: string): ScopeDescription | undefined {
    const wanted = name.toLowerCase();
    const rows = this.coverage.stanzas.filter(({ row }) => row.name === wanted);
    if (rows.length === 0 && wanted !== 'global') return undefined;
    return describeScope(rows, this.coverage.options, this.schema);
  }

  module(name: string): ModuleDescription | undefined {
    const wanted = name.toLowerCase();
    const row = this.coverage.modules.find((each) => each.name === wanted);
    return row && describeModule(row, this.coverage.options, this.schema);
  }

  allOptions(): readonly OptionDescription[] {
    return this.coverage.options.map((row) => this.#option(row));
  }

  allScopes(): readonly ScopeDescription[] {
    return this.names('scope').flatMap((name) => this.scope(name) ?? []);
  }

  allModules(): readonly ModuleDescription[] {
    return this.names('module').flatMap((name) => this.module(name) ?? []);
  }

  /** Lower case, each once, sorted. */
  names(subject: Subject): readonly string[] {
    const { options, stanzas, modules } = this.coverage;
    const all =
      subject === 'option'
        ? options.map(({ setting }) => setting.name)
        : subject === 'scope'
          ? ['global', ...stanzas.map(({ row }) => row.name)]
          : modules.map(({ name }) => name);
    return [...new Set(all)].sort();
  }

  /** @returns names as displayed that may be meant, the likeliest first, MOST_NEAR at most */
  near(subject: Subject, name: string): readonly string[] {
    const wanted = name.toLowerCase();
    const rest = new Set(this.names(subject));
    const found: string[] = [];
    const take = (each: string): void => {
      rest.delete(each);
      found.push(each);
    };
    for (let each = nearest(wanted, rest); each !== undefined && found.length < 3; each = nearest(wanted, rest))
      take(each);
    // A word of a longer name, as people remember it; the shortest is the likeliest.
    if (wanted.length >= 3) {
      const longer = [...rest].filter((each) => each.includes(wanted));
      longer.sort((one, other) => one.length - other.length);
      for (const each of longer.slice(0, Math.max(0, MOST_NEAR - found.length))) take(each);
    }
    return found.map((each) => (subject === 'module' ? each : spelling(each)));
  }

  #option(row: OptionCoverage): OptionDescription {
    this.#fallback ??= new FallbackWords();
    return describeOption(row, this.schema, this.#fallback);
  }

  #mayStand(scopes: readonly string[], scope: string): boolean {
    return (
      scopes.includes(scope) || scopes.includes('*') || (scopes.includes('*module') && this.schema.isModule(scope))
    );
  }
}

/** More names than these are no answer. */
const MOST_NEAR = 6;
