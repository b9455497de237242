import { type StoreConnection, StoreError, type StoreKind, type Stores, type StoreTarget } from '../../stores.ts';
import { connectLdap } from './ldap.ts';
import { connectMysql } from './mysql.ts';
import { connectPgsql } from './pgsql.ts';
import { connectRedis } from './redis.ts';
import { connectSqlite } from './sqlite.ts';

/** What each kind needs that does not come with the server; SQLite is part of Node. */
const PACKAGES: Readonly<Record<Exclude<StoreKind, 'sqlite'>, () => Promise<unknown>>> = {
  pgsql: () => import('pg'),
  mysql: () => import('mysql2'),
  redis: () => import('@redis/client'),
  ldap: () => import('ldapts'),
};

const NAMES: Readonly<Record<keyof typeof PACKAGES, string>> = {
  pgsql: 'pg',
  mysql: 'mysql2',
  redis: '@redis/client',
  ldap: 'ldapts',
};

export const nodeStores: Stores = {
  async missing(kind) {
    if (kind === 'sqlite') return undefined;
    try {
      await PACKAGES[kind]();
      return undefined;
    } catch {
      return NAMES[kind];
    }
  },
  async connect(target, timeoutMillis) {
    const missing = await nodeStores.missing(target.kind);
    if (missing !== undefined)
      throw new StoreError('missing package', `the npm package ${missing} is not installed: npm install ${missing}`);
    return connectTo(target, timeoutMillis);
  },
};

function connectTo(target: StoreTarget, timeoutMillis: number): Promise<StoreConnection> {
  switch (target.kind) {
    case 'sqlite':
      return connectSqlite(target.path, timeoutMillis);
    case 'pgsql':
      return connectPgsql(target, timeoutMillis);
    case 'mysql':
      return connectMysql(target, timeoutMillis);
    case 'redis':
      return connectRedis(target, timeoutMillis);
    case 'ldap':
      return connectLdap(target, timeoutMillis);
  }
}
