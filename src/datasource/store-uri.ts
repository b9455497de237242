import { nearest } from '../base/index.ts';
import { ValueError } from '../config/index.ts';
import type { StoreKind, StoreTarget, StoreTls } from '../world/index.ts';
import { type LdapUrl, readLdapUrl } from './ldap-url.ts';

/** One `uri` of a datasource: whom to ask. */
export interface StoreUri {
  readonly kind: StoreKind;
  readonly target: StoreTarget;
  /** What a query need not repeat. */
  readonly ldap: LdapUrl | undefined;
  /** How long connecting may take, where the uri says so; milliseconds. */
  readonly connectMillis: number | undefined;
  /** For people: without a password. */
  readonly title: string;
}

/** Drivers that Momentum has and we have not yet. */
export const UNSERVED_DRIVERS: readonly string[] = ['odbc', 'csv', 'cdb', 'iowrapper'];
const DRIVERS = ['sqlite', 'pgsql', 'mysql', 'redis', 'rediss', 'ldap', 'ldaps'] as const;
/** Other names of a driver, which its own tools use. */
const ALSO: Readonly<Record<string, (typeof DRIVERS)[number]>> = {
  sqlite3: 'sqlite',
  postgres: 'pgsql',
  postgresql: 'pgsql',
  mariadb: 'mysql',
};
const PORTS = { pgsql: 5432, mysql: 3306, redis: 6379 } as const;

export function driverOf(uri: string): string {
  const word = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase() ?? '';
  return ALSO[word] ?? word;
}

/**
 * `DRIVER:parameters` as in the manual: `pgsql:host=db;dbname=mail;user=u;password=p`, `sqlite:/path`, or a URL.
 *
 * @returns undefined for a driver that is not there yet
 * @throws ValueError in words for the operator, without what may be a password
 */
export function readStoreUri(uri: string): StoreUri | undefined {
  const driver = driverOf(uri);
  if (UNSERVED_DRIVERS.includes(driver)) return undefined;
  const rest = uri.slice(uri.indexOf(':') + 1);
  switch (driver) {
    case 'sqlite':
      return sqlite(rest);
    case 'pgsql':
    case 'mysql':
      return sqlServer(driver, rest);
    case 'redis':
    case 'rediss':
      return redis(driver, rest);
    case 'ldap':
    case 'ldaps':
      return ldap(uri);
    default: {
      const meant = nearest(driver, DRIVERS);
      throw new ValueError(
        `a uri that begins with one of ${DRIVERS.join(':, ')}:${meant === undefined ? '' : `; did you mean ${meant}:?`}`,
      );
    }
  }
}

function sqlite(rest: string): StoreUri {
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (!path.startsWith('/') || path.includes('\0')) throw new ValueError('an absolute path behind sqlite:');
  return {
    kind: 'sqlite',
    target: { kind: 'sqlite', path },
    ldap: undefined,
    connectMillis: undefined,
    title: `sqlite:${path}`,
  };
}

function sqlServer(kind: 'pgsql' | 'mysql', rest: string): StoreUri {
  const words = rest.startsWith('//') ? urlWords(rest, 'dbname') : pairs(rest);
  const known = [
    'host',
    'hostaddr',
    'port',
    'dbname',
    'user',
    'password',
    'sslmode',
    'connect_timeout',
    ...(kind === 'mysql' ? ['unix_socket'] : []),
  ];
  unknownIn(words, known, kind);
  const host = words.get('unix_socket') ?? words.get('hostaddr') ?? words.get('host') ?? 'localhost';
  const port = portOf(words.get('port'), PORTS[kind]);
  const database = words.get('dbname');
  return {
    kind,
    target: {
      kind,
      host,
      port,
      database,
      user: words.get('user'),
      password: words.get('password'),
      tls: tlsOf(words.get('sslmode'), kind === 'pgsql' ? 'offered' : 'never'),
    },
    ldap: undefined,
    connectMillis: secondsOf(words.get('connect_timeout'), 'connect_timeout'),
    title: `${kind}:host=${host};port=${port}${database === undefined ? '' : `;dbname=${database}`}`,
  };
}

function redis(driver: 'redis' | 'rediss', rest: string): StoreUri {
  const words = rest.startsWith('//') ? urlWords(rest, 'db') : pairs(rest);
  unknownIn(words, ['host', 'port', 'db', 'user', 'password', 'socket', 'sslmode', 'connect_timeout'], 'redis');
  const host = words.get('socket') ?? words.get('host') ?? 'localhost';
  const port = portOf(words.get('port'), PORTS.redis);
  const db = words.get('db') ?? '0';
  if (!/^\d{1,5}$/.test(db)) throw new ValueError('a number for db');
  return {
    kind: 'redis',
    target: {
      kind: 'redis',
      host,
      port,
      database: Number(db),
      user: words.get('user'),
      password: words.get('password'),
      tls: tlsOf(words.get('sslmode'), driver === 'rediss' ? 'verified' : 'never'),
    },
    ldap: undefined,
    connectMillis: secondsOf(words.get('connect_timeout'), 'connect_timeout'),
    title: `redis:host=${host};port=${port};db=${db}`,
  };
}

function ldap(uri: string): StoreUri {
  const url = readLdapUrl(uri);
  if (url.names.size > 0) throw new ValueError('an LDAP URL without $names: those belong into queries');
  if (url.host === '') throw new ValueError('a host in the LDAP URL');
  const { host, port, tls, bind } = url.plain();
  return {
    kind: 'ldap',
    target: { kind: 'ldap', host, port, tls, bind },
    ldap: url,
    connectMillis: url.connectMillis,
    title: `${tls ? 'ldaps' : 'ldap'}://${host}:${port}`,
  };
}

/** `host=a;port=1;password='x;y'`: quotes around a value, doubled inside; libpq's blanks between pairs will do as well. */
function pairs(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const pair = /[\s;]*([A-Za-z_]+)\s*=\s*(?:'((?:[^']|'')*)'|([^;]*?(?=\s+[A-Za-z_]+=)|[^;]*))/y;
  while (pair.lastIndex < text.length && !/^[\s;]*$/.test(text.slice(pair.lastIndex))) {
    const match = pair.exec(text);
    const [, key, quoted, plain = ''] = match ?? [];
    if (key === undefined) throw new ValueError('parameters as host=…;port=… behind the driver');
    const name = key.toLowerCase();
    if (found.has(name)) throw new ValueError(`${name} once, and not twice`);
    found.set(name, quoted === undefined ? plain.trim() : quoted.replaceAll("''", "'"));
  }
  return found;
}

/** `//user:password@host:port/database?key=value`. */
function urlWords(rest: string, databaseKey: string): ReadonlyMap<string, string> {
  const match = /^\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?(\[[^\]]+\]|[^:/?]*)(?::(\d+))?(?:\/([^?]*))?(?:\?(.*))?$/s.exec(
    rest,
  );
  if (match === null) throw new ValueError('a URL as //user:password@host:port/database behind the driver');
  const [, user, password, host = '', port, database, query] = match;
  const found = new Map<string, string>();
  const put = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') found.set(key, decoded(value));
  };
  put('user', user);
  put('password', password);
  put('host', host.replace(/^\[|\]$/g, ''));
  put('port', port);
  put(databaseKey, database);
  for (const pair of query?.split('&') ?? []) {
    const at = pair.indexOf('=');
    put(decoded(at === -1 ? pair : pair.slice(0, at)).toLowerCase(), at === -1 ? '' : pair.slice(at + 1));
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError('two hexadecimal digits behind each %');
  }
}

function unknownIn(words: ReadonlyMap<string, string>, known: readonly string[], driver: string): void {
  for (const key of words.keys()) {
    if (known.includes(key)) continue;
    const meant = nearest(key, known);
    throw new ValueError(
      `parameters that ${driver} has (${known.join(', ')}); '${key}' is none${meant === undefined ? '' : `, did you mean ${meant}?`}`,
    );
  }
}

function portOf(text: string | undefined, usual: number): number {
  const port = text === undefined || text === '' ? usual : /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new ValueError('a port from 1 to 65535');
  return port;
}

function secondsOf(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds === 0) throw new ValueError(`seconds from 1 to 9999 for ${key}`);
  return seconds * 1000;
}

/** The words of libpq. */
function tlsOf(mode: string | undefined, usual: StoreTls): StoreTls {
  switch (mode?.toLowerCase()) {
    case undefined:
      return usual;
    case 'disable':
      return 'never';
    case 'allow':
    case 'prefer':
      return 'offered';
    case 'require':
      return 'required';
    case 'verify-ca':
    case 'verify-full':
      return 'verified';
    default:
      throw new ValueError('sslmode as one of disable, prefer, require, verify-full');
  }
}
