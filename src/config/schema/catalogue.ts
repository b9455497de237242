import data from './catalogue.json' with { type: 'json' };

/** An option that Momentum has. The reference files are merged into these rows by scripts/catalogue.ts. */
export interface OptionRow {
  readonly name: string;
  /** Where it may stand; `*module` is every module's stanza, `*` is everywhere. */
  readonly scopes: readonly string[];
  readonly value: string;
  readonly default?: unknown;
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly enum?: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly dynamic?: boolean;
  readonly module?: string;
  readonly refersTo?: string;
  /** What its number counts: one of the words in scripts/catalogue/rows.ts. */
  readonly unit?: string;
  /** What it does, in one line of at most 100 characters, and what special values mean. */
  readonly summary?: string;
}

/** A stanza that Momentum has. */
export interface ScopeRow {
  readonly name: string;
  /** Scopes that may hold it. */
  readonly scopes: readonly string[];
  /** Whether it is written with an instance name; `optional`: without one it has its own name. */
  readonly instance: string;
  readonly module?: string;
  readonly summary?: string;
}

export interface ModuleRow {
  readonly name: string;
  readonly tier: string;
  readonly instance: string;
  readonly summary: string;
}

interface Catalogue {
  readonly options: readonly OptionRow[];
  readonly scopes: readonly ScopeRow[];
  readonly modules: readonly ModuleRow[];
}

/** Parser of our own generated file: the shape of its rows is what scripts/catalogue.ts writes, and a test compares. */
export const catalogue: Catalogue = data as unknown as Catalogue;
