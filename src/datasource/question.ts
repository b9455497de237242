import { ValueError } from '../config/index.ts';
import type { LdapBind, StoreKind, StoreQuestion } from '../world/index.ts';
import { filled, type LdapUrl, type Parameters, readLdapUrl } from './ldap-url.ts';
import { bindRedis, redisNames } from './redis-words.ts';
import { bindSql, sqlNames } from './sql-placeholders.ts';

/** A connection for one query. */
export interface Apart {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly bind: LdapBind | undefined;
  /** The name and the password are the query's, and not the datasource's: that they are not accepted is an answer. */
  readonly own: boolean;
}

/** A query with its values, ready to go out. */
export interface BoundQuery {
  readonly question: StoreQuestion;
  /** A connection of its own, bound as somebody else or to another host; undefined: any that is open. */
  readonly apart: Apart | undefined;
  readonly timeoutMillis: number | undefined;
}

/**
 * Which parameters a query wants. Names that are numbers may stay without a value.
 *
 * @throws ValueError when it cannot be read
 */
export function namesOf(kind: StoreKind, query: string): ReadonlySet<string> {
  switch (kind) {
    case 'redis':
      return new Set(redisNames(query));
    case 'ldap':
      return readLdapUrl(query).names;
    default:
      return new Set(sqlNames(kind, query));
  }
}

/**
 * @param around  the URL of the datasource, for what an LDAP query leaves out
 * @throws ValueError
 */
export function bindQuery(
  kind: StoreKind,
  query: string,
  parameters: Parameters,
  around: LdapUrl | undefined,
): BoundQuery {
  switch (kind) {
    case 'redis':
      return { question: bindRedis(query, parameters), apart: undefined, timeoutMillis: undefined };
    case 'ldap':
      if (around === undefined) throw new ValueError('an LDAP datasource');
      return bindLdap(readLdapUrl(query), parameters, around);
    default:
      return { question: bindSql(kind, query, parameters), apart: undefined, timeoutMillis: undefined };
  }
}

function bindLdap(query: LdapUrl, parameters: Parameters, around: LdapUrl): BoundQuery {
  const own = query.bindName !== undefined;
  const elsewhere = query.host !== '' && (query.host !== around.host || query.port !== around.port);
  const { host, port, tls } = query.host === '' ? around : query;
  const bind = own
    ? {
        dn: query.bindName === undefined ? '' : filled(query.bindName, parameters),
        password: query.bindPassword === undefined ? '' : filled(query.bindPassword, parameters),
      }
    : elsewhere
      ? undefined
      : around.plain().bind;
  const apart =
    own || elsewhere || !query.keepConnection || !around.keepConnection ? { host, port, tls, bind, own } : undefined;
  const timeoutMillis = query.searchMillis ?? around.searchMillis ?? 6000;
  const asksNothing =
    query.base === undefined &&
    query.filter === undefined &&
    query.attributes.length === 0 &&
    query.scope === undefined;
  if (own && asksNothing) return { question: { kind: 'bound' }, apart, timeoutMillis };
  const base = query.base ?? around.base;
  const filter = query.filter ?? around.filter;
  return {
    question: {
      kind: 'search',
      base: base === undefined ? '' : filled(base, parameters),
      scope: query.scope ?? around.scope ?? 'base',
      filter: filter === undefined ? '(objectClass=*)' : filled(filter, parameters),
      attributes: query.attributes.length > 0 ? query.attributes : around.attributes,
      dnColumn: query.dnColumn ?? around.dnColumn,
    },
    apart,
    timeoutMillis,
  };
}
