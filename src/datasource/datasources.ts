import { createHash } from 'node:crypto';
import type { Generation } from '../config/index.ts';
import { Datasource, type DatasourceParts, type DatasourceSettings } from './datasource.ts';
import * as options from './options.ts';
import type { StoreUri } from './store-uri.ts';

const MOST_CONNECTIONS = 1000;
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

export function settingsOf(generation: Pick<Generation, 'instances' | 'stanza'>, name: string): DatasourceSettings {
  const view = generation.stanza('datasource', name);
  const uris = (view.get(options.uri) ?? []).filter((each): each is StoreUri => each !== undefined);
  const kind = uris[0]?.kind;
  const ldap = kind === 'ldap' ? generation.stanza('ds_ldap', '') : undefined;
  const cacheSeconds = view.get(options.noCache) ? 0 : view.get(options.cacheLife);
  const rows = view.get(options.maxRows);
  const asked = view.get(options.maxConnections) ?? threads(generation, view.get(options.pool)) ?? 1;
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

/**
 * Threads of a pool; Momentum's are always there, and a pool without threads has one.
 *
 * @returns undefined for a pool that nobody has defined
 */
export function threads(generation: Pick<Generation, 'instances' | 'stanza'>, pool: string): number | undefined {
  const name = generation.instances('threadpool').find((each) => each.toLowerCase() === pool.toLowerCase());
  if (name === undefined) return undefined;
  return Math.min(MOST_CONNECTIONS, Math.max(1, generation.stanza('threadpool', name).get(options.concurrency)));
}
