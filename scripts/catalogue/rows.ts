/** The rows of src/config/schema/catalogue.json. What reads them there takes any text for a unit; which there are is said here. */

/** What a number of an option counts. For pairs of bounds it is the unit of both; for rates, of a number without `/seconds`. */
export const UNITS = [
  'addresses',
  'bits',
  'bytes',
  'characters',
  'checks',
  'connections',
  'connections per pass',
  'connections per second',
  'domains',
  'entries',
  'events per pass',
  'failures',
  'files',
  'headers',
  'heartbeats per second',
  'hours',
  'jobs',
  'lookups',
  'messages',
  'messages per connection',
  'messages per pass',
  'messages per second',
  'milliseconds',
  'percent',
  'queries',
  'recipients per connection',
  'recipients per message',
  'retries',
  'rows',
  'seconds',
  'sessions',
  'threads',
  'tries',
  'votes',
] as const;

export type Unit = (typeof UNITS)[number];

export interface OptionRow {
  readonly name: string;
  /** Where it may stand; `*module` is every module's stanza. */
  readonly scopes: readonly string[];
  readonly value: string;
  readonly default?: unknown;
  /** Defaults that hold in one kind of scope only. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly enum?: readonly string[];
  /** Words of the enumeration that mean another one. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly dynamic?: false;
  readonly module?: string;
  readonly refersTo?: string;
  readonly unit?: Unit;
  /** What it does, in one line; `describe` sees to it that each row has one. */
  readonly summary?: string;
}

export interface ScopeRow {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly instance: 'none' | 'required' | 'optional';
  readonly module?: string;
  readonly summary?: string;
}

export interface ModuleRow {
  readonly name: string;
  readonly tier: string;
  readonly instance: 'none' | 'optional';
  readonly summary: string;
}

export interface CatalogueData {
  readonly options: readonly OptionRow[];
  readonly scopes: readonly ScopeRow[];
  readonly modules: readonly ModuleRow[];
}
