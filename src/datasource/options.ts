import {
  arrayOf,
  boolean,
  duration,
  integer,
  integerBetween,
  type Option,
  option,
  optional,
  ownOption,
  text,
  type ValueType,
} from '../config/index.ts';
import { driverOf, readStoreUri, type StoreUri, UNSERVED_DRIVERS } from './store-uri.ts';

/** One `uri`; undefined for a driver that is accepted and not there yet. */
const storeUri: ValueType<StoreUri | undefined> = {
  title: 'a uri as pgsql:host=db;dbname=mail;user=u;password=p',
  shape: { kind: 'text' },
  examples: ['( "sqlite:/path/to/db" )'],
  read: (raw) => readStoreUri(text.read(raw)),
};

const uris: ValueType<readonly (StoreUri | undefined)[]> = {
  ...arrayOf(storeUri),
  examples: ['( "sqlite:/path/to/db" )'],
  unserved(raw) {
    const written = raw.kind === 'array' ? raw.items.map((item) => item.text) : raw.kind === 'text' ? [raw.text] : [];
    const drivers = written.map(driverOf).filter((driver) => UNSERVED_DRIVERS.includes(driver));
    return [...new Set(drivers)].map((driver) => `the driver ${driver}`);
  },
};

const scope = 'datasource';
const own = (summary: string) => ({ scopes: [scope], summary });

export const uri = option('uri', optional(uris), { scope });
export const cacheLife = option('cache_life', duration, { scope });
export const cacheSize = option('cache_size', integerBetween(0, 10_000_000), { scope });
export const maxRows = option('max_rows', integerBetween(-1, 1_000_000), { scope });
export const noCache = option('no_cache', boolean, { scope });
export const pool = option('pool', text, { scope });
/** Momentum keeps "there is none" as long as everything else: a new user then waits for an hour. */
export const negativeCacheLife = ownOption('negative_cache_life', optional(duration), {
  ...own('how long a query result without rows is kept; cache_life where that is shorter, and at most 60 s if unset'),
  initial: undefined,
});
export const minConnections = ownOption('min_connections', integerBetween(0, 1000), {
  ...own('connections to each uri that stay open when nobody asks'),
  initial: 0,
});
export const maxConnections = ownOption('max_connections', optional(integerBetween(1, 1000)), {
  ...own('connections to each uri at once; the concurrency of the thread pool if unset'),
  initial: undefined,
});
export const connectTimeout = ownOption('connect_timeout', duration, {
  ...own('how long connecting may take'),
  initial: duration.read({ kind: 'text', text: '5', quoted: false, at: { file: '', line: 1, column: 1 } }),
});
export const queryTimeout = ownOption('query_timeout', duration, {
  ...own('how long a query may take, with the wait for a connection'),
  initial: duration.read({ kind: 'text', text: '10', quoted: false, at: { file: '', line: 1, column: 1 } }),
});
export const connectionIdleTime = ownOption('connection_idle_time', duration, {
  ...own('how long a connection stays open that nobody uses'),
  initial: duration.read({ kind: 'text', text: '60', quoted: false, at: { file: '', line: 1, column: 1 } }),
});

/** Of a thread pool; a datasource has as many connections as its pool has threads. */
export const concurrency = option('concurrency', integer, {
  scope: 'threadpool',
  unservedIn: [
    'control_listener',
    'eccluster_listener',
    'ecstream_listener',
    'esmtp_listener',
    'http_listener',
    'listen',
    'xmpp_listener',
  ],
});

const ldap = { scope: 'ds_ldap' };
export const connectionCacheSize = option('connection_cache_size', optional(integerBetween(0, 1000)), ldap);
export const connectionCacheLife = option('connection_cache_life', optional(duration), ldap);

export const datasourceOptions: readonly Option<unknown>[] = [
  uri,
  cacheLife,
  cacheSize,
  maxRows,
  noCache,
  pool,
  negativeCacheLife,
  minConnections,
  maxConnections,
  connectTimeout,
  queryTimeout,
  connectionIdleTime,
  concurrency,
  connectionCacheSize,
  connectionCacheLife,
];

/** The stanzas that only datasources read. */
export const datasourceStanzas: readonly string[] = ['datasource', 'ds_core', 'ds_ldap', 'threadpool'];
