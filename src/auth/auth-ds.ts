import type { Generation, SettingStanza } from '../config/index.ts';
import { DatasourceError, type Datasources } from '../datasource/index.ts';
import type { Events } from '../events/index.ts';
import type { StoreRows, StoreValue } from '../world/index.ts';
import * as options from './auth-ds-options.ts';
import type { Template } from './auth-ds-template.ts';
import type { LoginAttempt, NamedScheme, SchemeAnswer, StoredType } from './named-scheme.ts';

/** One stanza inside of a `Scheme`: a query, and against which datasource. */
export interface SchemeQuery {
  readonly stanza: SettingStanza;
  readonly query: string | undefined;
  readonly cache: string | undefined;
  readonly map: ReadonlyMap<string, Template>;
}

export interface Authenticate extends SchemeQuery {
  readonly returnsPassword: boolean;
  readonly passwordColumn: string | undefined;
  readonly type: StoredType | undefined;
  readonly typeColumn: string | undefined;
  readonly typeMap: ReadonlyMap<string, StoredType> | undefined;
}

export interface Groups extends SchemeQuery {
  readonly column: string | undefined;
}

/** A `Scheme` of auth_ds as it is written. */
export interface SchemePlan {
  readonly name: string;
  readonly authenticate: Authenticate | undefined;
  readonly queryGroups: Groups | undefined;
  readonly enumGroups: Groups | undefined;
}

/** Every scheme of a configuration, by its name. */
export function schemePlans(generation: Pick<Generation, 'settings'>): ReadonlyMap<string, SchemePlan> {
  const plans = new Map<string, SchemePlan>();
  for (const stanza of generation.settings(options.authDsOptions)) {
    const [, outer, scheme, inner] = stanza.path;
    if (outer?.type !== 'auth_ds' || scheme?.type !== 'scheme' || inner === undefined) continue;
    const name = scheme.instance;
    const known = plans.get(name) ?? { name, authenticate: undefined, queryGroups: undefined, enumGroups: undefined };
    const common: SchemeQuery = {
      stanza,
      query: stanza.get(options.query),
      cache: stanza.get(options.cache),
      map: stanza.get(options.map) ?? new Map(),
    };
    const groups = (): Groups => ({ ...common, column: stanza.get(options.groupColumn) });
    if (inner.type === 'authenticate')
      plans.set(name, {
        ...known,
        authenticate: {
          ...common,
          returnsPassword: stanza.get(options.returnsPassword),
          passwordColumn: stanza.get(options.passwordColumn),
          type: stanza.get(options.type),
          typeColumn: stanza.get(options.typeColumn),
          typeMap: stanza.get(options.typeMap),
        },
      });
    else if (inner.type === 'querygroups') plans.set(name, { ...known, queryGroups: groups() });
    else if (inner.type === 'enumgroups') plans.set(name, { ...known, enumGroups: groups() });
  }
  return plans;
}

/** A scheme at work: who may log in is what a query says. */
export class AuthDsScheme implements NamedScheme {
  readonly #plan: SchemePlan;
  readonly #datasources: Pick<Datasources, 'find'>;
  readonly #events: Pick<Events, 'diagnose'>;
  /** What has been said of it: the same trouble is told once, also when users have different ones in turn. */
  readonly #told = new Set<string>();

  constructor(plan: SchemePlan, datasources: Pick<Datasources, 'find'>, events: Pick<Events, 'diagnose'>) {
    this.#plan = plan;
    this.#datasources = datasources;
    this.#events = events;
  }

  async ask(attempt: LoginAttempt): Promise<SchemeAnswer> {
    const { authenticate } = this.#plan;
    if (authenticate === undefined) return this.#unavailable('it has no Authenticate');
    const rows = await this.#rows(authenticate, attempt);
    if (rows === undefined) return { kind: 'unavailable' };
    const [first] = rows.rows;
    if (!authenticate.returnsPassword) return { kind: 'judged', verdict: isTrue(first?.[0]) ? 'right' : 'wrong' };
    if (first === undefined) return { kind: 'unknown' };
    const texts = textsOf(this.#value(rows, first, authenticate.passwordColumn));
    const type = this.#typeIn(authenticate, rows, first);
    if (type === undefined) return { kind: 'unavailable' };
    // A user whose password is not there cannot log in by one.
    return texts.length === 0 ? { kind: 'unknown' } : { kind: 'stored', type, texts };
  }

  async rolesOf(user: string, uri: string): Promise<readonly string[] | undefined> {
    const { queryGroups } = this.#plan;
    return queryGroups === undefined ? [] : this.#groups(queryGroups, user, uri);
  }

  async roles(uri: string): Promise<readonly string[] | undefined> {
    const { enumGroups } = this.#plan;
    return enumGroups === undefined ? [] : this.#groups(enumGroups, '', uri);
  }

  async #groups(groups: Groups, user: string, uri: string): Promise<readonly string[] | undefined> {
    const nothing = { crypt: 'clear', password: '', nonce: '', realm: '', digestUri: '' } as const;
    const rows = await this.#rows(groups, { ...nothing, user, uri });
    return rows && [...new Set(rows.rows.flatMap((row) => textsOf(this.#value(rows, row, groups.column))))];
  }

  async #rows({ query, cache, map }: SchemeQuery, attempt: LoginAttempt): Promise<StoreRows | undefined> {
    const datasource = cache === undefined ? undefined : this.#datasources.find(cache);
    if (datasource === undefined || query === undefined) {
      this.#unavailable(`there is no datasource ${cache ?? ''}`);
      return undefined;
    }
    const parameters = new Map([...map].map(([name, template]) => [name, template.fill(attempt)]));
    try {
      return await datasource.query(query, parameters);
    } catch (error) {
      // The datasource has told the operator.
      if (error instanceof DatasourceError) return undefined;
      throw error;
    }
  }

  #typeIn(
    { type, typeColumn, typeMap }: Authenticate,
    rows: StoreRows,
    row: readonly StoreValue[],
  ): StoredType | undefined {
    if (type !== undefined || typeColumn === undefined) return type ?? 'clear';
    const [word] = textsOf(this.#value(rows, row, typeColumn));
    const found = typeMap === undefined ? options.storedTypeNamed(word) : typeMap.get(word ?? '');
    if (found === undefined) this.#unavailable(`column ${typeColumn} has a type that type_map does not know`);
    return found;
  }

  /** Names of columns are compared without regard to case, as the stores do. */
  #value(rows: StoreRows, row: readonly StoreValue[], column: string | undefined): StoreValue {
    if (column === undefined) return row[0] ?? null;
    const at = rows.columns.findIndex((each) => each.toLowerCase() === column.toLowerCase());
    if (at === -1) this.#unavailable(`the query gives no column ${column}`);
    return row[at] ?? null;
  }

  #unavailable(text: string): { readonly kind: 'unavailable' } {
    if (!this.#told.has(text))
      this.#events.diagnose('ERROR', 'auth_ds', `IMP_DATASOURCE scheme ${this.#plan.name}: ${text}`);
    this.#told.add(text);
    return { kind: 'unavailable' };
  }
}

/** Nothing, an empty text and any zero are false; everything else is true, as the name of whoever was found. */
function isTrue(value: StoreValue | undefined): boolean {
  const [text = ''] = textsOf(value ?? null);
  return text !== '' && !/^[-+]?0*(?:\.0*)?(?:e[-+]?\d+)?$/i.test(text.trim());
}

const textsOf = (value: StoreValue): readonly string[] =>
  value === null ? [] : typeof value === 'string' ? [value] : value;
