import { createHmac } from 'node:crypto';
import { type Millis, millis } from '../base/index.ts';
import { ValueError } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import { type Chance, type Clock, StoreError, type StoreKind, type StoreRows, type Stores } from '../world/index.ts';
import type { Parameters } from './ldap-url.ts';
import { Pool, type PoolLimits } from './pool.ts';
import { QueryCache } from './query-cache.ts';
import { type BoundQuery, bindQuery } from './question.ts';
import type { StoreUri } from './store-uri.ts';
import { withoutValues } from './without-values.ts';

/** What a datasource is told by its stanza. */
export interface DatasourceSettings {
  /** All of one kind. */
  readonly uris: readonly StoreUri[];
  /** Nothing is kept with 0. */
  readonly cacheMillis: number;
  readonly negativeMillis: number;
  readonly cacheSize: number;
  readonly mostRows: number;
  readonly connectMillis: number;
  readonly queryMillis: number;
  readonly pool: PoolLimits;
}

export interface DatasourceParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Pick<Events, 'diagnose'>;
}

export interface QueryWays {
  /** Neither looked up in the cache nor kept. */
  readonly noCache?: boolean;
  /** It changes something: never kept, and never sent a second time. */
  readonly changes?: boolean;
}

/** `refused`: the query is wrong. `unavailable`: nobody can say now. The message is for operators. */
export class DatasourceError extends Error {
  readonly code = 'IMP_DATASOURCE';
  readonly kind: 'refused' | 'unavailable';
  constructor(kind: 'refused' | 'unavailable', message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Different complaints about queries, until the next change of the stanza. */
const MOST_TOLD = 100;

interface Source {
  readonly uri: StoreUri;
  readonly pool: Pool;
}

/** One `Datasource` stanza: the stores that answer its queries in turn, and what they have answered. */
export class Datasource {
  readonly name: string;
  readonly cache: QueryCache;
  readonly #parts: DatasourceParts;
  readonly #sources: readonly Source[];
  readonly #underWay = new Map<string, Promise<StoreRows>>();
  /** Keys of the cache are made with it: they may have a password in them. */
  readonly #key: Uint8Array;
  #settings: DatasourceSettings;
  #next = 0;
  readonly #told = new Set<string>();

  constructor(name: string, settings: DatasourceSettings, parts: DatasourceParts) {
    this.name = name;
    this.#parts = parts;
    this.#settings = settings;
    this.#key = parts.chance.bytes(32);
    this.cache = new QueryCache(settings.cacheSize);
    this.#sources = settings.uris.map((uri) => ({ uri, pool: this.#poolFor(uri) }));
  }

  get kind(): StoreKind | undefined {
    return this.#settings.uris[0]?.kind;
  }

  get pools(): readonly Pick<Pool, 'open' | 'idle' | 'down'>[] {
    return this.#sources.map(({ pool }) => pool);
  }

  /** The stanza has changed, and not its uris. */
  adjust(settings: DatasourceSettings): void {
    this.#told.clear();
    const shorter = settings.cacheMillis < this.#settings.cacheMillis;
    this.#settings = settings;
    this.cache.resize(settings.cacheSize);
    if (settings.cacheMillis === 0) this.cache.flush();
    else if (shorter) this.cache.shorten(this.#after(settings.cacheMillis));
    for (const { pool } of this.#sources) pool.adjust(settings.pool);
  }

  /**
   * @param query  in the language of the store, with `:name` or `$name` where values go
   * @throws DatasourceError
   */
  async query(
    query: string,
    parameters: Parameters,
    { noCache = false, changes = false }: QueryWays = {},
  ): Promise<StoreRows> {
    const { cacheMillis } = this.#settings;
    if (noCache || changes || cacheMillis === 0) return this.#asked(query, parameters, changes);
    const { counts } = this.cache;
    const key = this.#keyOf(query, parameters);
    const kept = this.cache.get(key, this.#parts.clock.now());
    if (kept !== undefined) {
      counts.hits++;
      return kept;
    }
    const coming = this.#underWay.get(key);
    if (coming !== undefined) {
      counts.pending++;
      return coming;
    }
    counts.misses++;
    const asking = this.#asked(query, parameters, false)
      .then((rows) => {
        const life = rows.rows.length === 0 ? this.#settings.negativeMillis : this.#settings.cacheMillis;
        // A flush that came meanwhile means what is under way, too.
        if (life > 0 && this.#underWay.get(key) === asking) this.cache.set(key, rows, this.#after(life));
        return rows;
      })
      .finally(() => {
        if (this.#underWay.get(key) === asking) this.#underWay.delete(key);
      });
    this.#underWay.set(key, asking);
    return asking;
  }

  /** @returns how many results went */
  flush(): number {
    this.#underWay.clear();
    return this.cache.flush();
  }

  /** @returns how many idle connections were closed */
  flushConnections(): number {
    return this.#sources.reduce((count, { pool }) => count + pool.flush(), 0);
  }

  close(): void {
    for (const { pool } of this.#sources) pool.close();
  }

  #after(time: number): Millis {
    return millis(this.#parts.clock.now() + time);
  }

  #keyOf(query: string, parameters: Parameters): string {
    const text = JSON.stringify([query, [...parameters].sort(([one], [other]) => (one < other ? -1 : 1))]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  async #asked(query: string, parameters: Parameters, changes: boolean): Promise<StoreRows> {
    const [first] = this.#sources;
    if (first === undefined)
      throw new DatasourceError('unavailable', `datasource ${this.name}: its driver is not implemented`);
    try {
      const bound = bindQuery(first.uri.kind, query, parameters, first.uri.ldap);
      return await this.#fromOne(bound, changes);
    } catch (error) {
      if (error instanceof ValueError) throw this.#wrong(`expected ${error.message}`, error);
      if (!(error instanceof StoreError)) throw error;
      const text = withoutValues(error.message, parameters);
      if (error.trouble === 'refused') throw this.#wrong(text, error);
      throw new DatasourceError('unavailable', `datasource ${this.name}: ${text}`, { cause: error });
    }
  }

  #wrong(text: string, cause: Error): DatasourceError {
    // The operator hears of a query that does not work once, not with each client.
    if (!this.#told.has(text) && this.#told.size < MOST_TOLD) {
      this.#told.add(text);
      this.#parts.events.diagnose(
        'ERROR',
        'ds_core',
        `IMP_DATASOURCE datasource ${this.name}: the query does not work: ${text}`,
      );
    }
    return new DatasourceError('refused', `datasource ${this.name}: ${text}`, { cause });
  }

  /** In turn, those that are down passed over; a connection that turns out to be dead is replaced once. */
  async #fromOne(bound: BoundQuery, changes: boolean): Promise<StoreRows> {
    const until = this.#after(this.#settings.queryMillis);
    let trouble: StoreError | undefined;
    for (const source of this.#order()) {
      let stale = false;
      try {
        return await this.#from(source, bound, until, false, (used) => {
          stale = used;
        });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        trouble = error;
        if (error.trouble === 'refused' || error.trouble === 'timeout' || (changes && error.trouble === 'lost'))
          throw error;
      }
      if (!stale || trouble.trouble !== 'lost') continue;
      try {
        return await this.#from(source, bound, until, true);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        trouble = error;
        if (error.trouble === 'refused' || error.trouble === 'timeout') throw error;
      }
    }
    throw trouble ?? new StoreError('unreachable', 'there is no store');
  }

  #order(): readonly Source[] {
    const from = this.#next++ % this.#sources.length;
    const turn = [...this.#sources.slice(from), ...this.#sources.slice(0, from)];
    const ready = turn.filter(({ pool }) => pool.wait === 0);
    // All are down: the first says so, and since when.
    return ready.length > 0 ? ready : turn.slice(0, 1);
  }

  async #from(
    { uri, pool }: Source,
    { question, apart, timeoutMillis }: BoundQuery,
    until: Millis,
    fresh: boolean,
    began: (used: boolean) => void = () => undefined,
  ): Promise<StoreRows> {
    const { stores, clock } = this.#parts;
    const { mostRows, queryMillis } = this.#settings;
    const limits = () => ({
      timeoutMillis: Math.max(1, Math.min(timeoutMillis ?? queryMillis, until - clock.now())),
      mostRows,
    });
    if (apart === undefined)
      return pool.use(
        until,
        (connection, used) => {
          began(used);
          return connection.ask(question, limits());
        },
        fresh,
      );
    try {
      return await pool.apart(
        until,
        uri.target.kind === 'ldap' && apart.host === uri.target.host && apart.port === uri.target.port,
        () =>
          stores.connect(
            { kind: 'ldap', host: apart.host, port: apart.port, tls: apart.tls, bind: apart.bind },
            uri.connectMillis ?? this.#settings.connectMillis,
          ),
        (connection) => connection.ask(question, limits()),
      );
    } catch (error) {
      // The query's own credentials were not accepted: that is its answer, and no trouble of the directory.
      if (apart.own && error instanceof StoreError && error.trouble === 'credentials') return { columns: [], rows: [] };
      throw error;
    }
  }

  #poolFor(uri: StoreUri): Pool {
    const { stores, clock, chance, events } = this.#parts;
    return new Pool({
      clock,
      chance,
      limits: this.#settings.pool,
      open: () => stores.connect(uri.target, uri.connectMillis ?? this.#settings.connectMillis),
      changed: (trouble) =>
        trouble === undefined
          ? events.diagnose('NOTICE', 'ds_core', `datasource ${this.name}: ${uri.title} answers again`)
          : events.diagnose(
              'ERROR',
              'ds_core',
              `IMP_DATASOURCE datasource ${this.name}: ${uri.title} is down: ${trouble.message}`,
            ),
    });
  }
}
