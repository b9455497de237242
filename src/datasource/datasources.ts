import { createHash } from 'node:crypto';
import type { Generation } from '../config/index.ts';
import { Datasource, type DatasourceParts, type DatasourceSettings } from './datasource.ts';
import * as options from './options.ts';
import type { StoreUri } from './store-uri.ts';

/** Threads that the built-in pools have; datasources use IO if nothing else is said (spec/config 6). */
export const POOLS: ReadonlyMap<string, number> = new Map([
  ['swapout', 5],
  ['swapin', 5],
  ['unlink', 6],
  ['batch_unlink', 4],
  ['close', 1],
  ['cpu', 4],
  ['io', 50],
  ['spoolin', 1],
]);

/** More than enough for a file that each connection reads in a thread of its own. */
const MOST_SQLITE = 4;

interface Held {
  readonly datasource: Datasource;
  /** Of its uris, passwords and all. */
  readonly mark: string;
}

/** All datasources of the live configuration. Caches and connections outlive a reload that does not change their uris. */
export class Datasources {
  readonly #parts: DatasourceParts;
  #held: ReadonlyMap<string, Held> = new Map();

  constructor(parts: DatasourceParts) {
    this.#parts = parts;
  }

  /** The configuration is another: what it does not have any more is closed. */
  adjust(generation: Generation): void {
    const next = new Map<string, Held>();
    for (const name of generation.instances('datasource')) {
      const settings = settingsOf(generation, name);
      const mark = createHash('sha256')
        .update(JSON.stringify(settings.uris.map(({ target, ldap }) => [target, ldap])))
        .digest('hex');
      const known = this.#held.get(name);
      if (known?.mark === mark) {
        known.datasource.adjust(settings);
        next.set(name, known);
      } else next.set(name, { datasource: new Datasource(name, settings, this.#parts), mark });
    }
    for (const [name, held] of this.#held) if (next.get(name) !== held) held.datasource.close();
    this.#held = next;
  }

  find(name: string): Datasource | undefined {
    return this.#held.get(name)?.datasource;
  }

  *[Symbol.iterator](): IterableIterator<Datasource> {
    for (const { datasource } of this.#held.values()) yield datasource;
  }

  [Symbol.dispose](): void {
    for (const datasource of this) datasource.close();
    this.#held = new Map();
  }
}

export function settingsOf(generation: Pick<Generation, 'stanza'>, name: string): DatasourceSettings {
  const view = generation.stanza('datasource', name);
  const uris = (view.get(options.uri) ?? []).filter((each): each is StoreUri => each !== undefined);
  const kind = uris[0]?.kind;
  const ldap = kind === 'ldap' ? generation.stanza('ds_ldap', '') : undefined;
  const cacheSeconds = view.get(options.noCache) ? 0 : view.get(options.cacheLife);
  const rows = view.get(options.maxRows);
  const asked = view.get(options.maxConnections) ?? threadsOf(generation, view.get(options.pool));
  const most = kind === 'sqlite' ? Math.min(asked, MOST_SQLITE) : asked;
  const idle = ldap?.get(options.connectionCacheSize);
  const life = ldap?.get(options.connectionCacheLife);
  return {
    uris,
    cacheMillis: cacheSeconds * 1000,
    negativeMillis: Math.min(cacheSeconds, view.get(options.negativeCacheLife) ?? 60) * 1000,
    cacheSize: view.get(options.cacheSize),
    mostRows: rows < 0 ? Number.MAX_SAFE_INTEGER : rows,
    connectMillis: Math.max(1, view.get(options.connectTimeout)) * 1000,
    queryMillis: Math.max(1, view.get(options.queryTimeout)) * 1000,
    pool: {
      least: Math.min(view.get(options.minConnections), most),
      most,
      mostIdle: idle ?? most,
      idleMillis: view.get(options.connectionIdleTime) * 1000,
      lifeMillis: life === undefined ? Number.POSITIVE_INFINITY : life * 1000,
    },
  };
}

/** @returns undefined for a pool that nobody has defined */
export function threads(generation: Pick<Generation, 'instances' | 'stanza'>, pool: string): number | undefined {
  const defined = generation.instances('threadpool').find((name) => name.toLowerCase() === pool.toLowerCase());
  const built = POOLS.get(pool.toLowerCase());
  if (defined === undefined) return built;
  return generation.stanza('threadpool', defined).get(options.concurrency) || built || 1;
}

function threadsOf(generation: Pick<Generation, 'stanza'>, pool: string): number {
  const set = generation.stanza('threadpool', pool).get(options.concurrency);
  return Math.min(1000, Math.max(1, set > 0 ? set : (POOLS.get(pool.toLowerCase()) ?? 1)));
}
