/**
 * Databases and directories: a connection takes a question and gives rows. What a question is in the language of each
 * kind is decided above; values are always handed over beside the text, never in it.
 */
export interface Stores {
  /**
   * Whether this installation can talk to such stores at all.
   * @returns the npm package that is not installed; undefined when nothing is missing
   */
  missing(kind: StoreKind): Promise<string | undefined>;
  /** @throws StoreError; nothing stays open then */
  connect(target: StoreTarget, timeoutMillis: number): Promise<StoreConnection>;
}

export const STORE_KINDS = ['sqlite', 'pgsql', 'mysql', 'redis', 'ldap'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** One question at a time. */
export interface StoreConnection {
  /** False once it is broken: it is to be closed, and not to be asked any more. */
  readonly usable: boolean;
  /**
   * @throws StoreError. After `timeout` and `lost` the connection is not usable: nobody knows where it stands.
   */
  ask(question: StoreQuestion, limits: StoreLimits): Promise<StoreRows>;
  /** Never rejects. */
  close(): Promise<void>;
}

export interface StoreLimits {
  readonly timeoutMillis: number;
  /** Rows beyond these are dropped as they come. */
  readonly mostRows: number;
}

export type StoreTarget =
  | { readonly kind: 'sqlite'; readonly path: string }
  | SqlServer
  | RedisServer
  | {
      readonly kind: 'ldap';
      readonly host: string;
      readonly port: number;
      readonly tls: boolean;
      readonly bind: LdapBind | undefined;
    };

export interface SqlServer {
  readonly kind: 'pgsql' | 'mysql';
  /** A name, an address, or the directory (pgsql) or path (mysql) of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: StoreTls;
}

export interface RedisServer {
  readonly kind: 'redis';
  /** A name, an address, or the path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: StoreTls;
}

/** `offered`: TLS where the server has it. `verified`: its certificate must be of a known authority, and name the host. */
export type StoreTls = 'never' | 'offered' | 'required' | 'verified';

export interface LdapBind {
  readonly dn: string;
  readonly password: string;
}

export type StoreQuestion =
  /** `text` has the placeholders of its kind: `$1` for pgsql, `?` for the others. */
  | { readonly kind: 'sql'; readonly text: string; readonly values: readonly (string | null)[] }
  | { readonly kind: 'redis'; readonly words: readonly string[] }
  /** Only whether the connection is bound: one row, with `bind` = 1. */
  | { readonly kind: 'bound' }
  | LdapSearch;

export interface LdapSearch {
  readonly kind: 'search';
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: string;
  /** Empty: all. */
  readonly attributes: readonly string[];
  /** Column for the name of each entry. */
  readonly dnColumn: string | undefined;
}

/** A value as text; several where an attribute has several. */
export type StoreValue = string | null | readonly string[];

export interface StoreRows {
  /** Names of columns, in the order of the store; an entry of a directory may lack some. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly StoreValue[])[];
}

export type StoreTrouble =
  /** An npm package is not installed. */
  | 'missing package'
  /** Nobody answers, or the connection is refused. */
  | 'unreachable'
  /** The store does not know who asks, or not by this password. */
  | 'credentials'
  | 'lost'
  | 'timeout'
  /** It was understood and refused, or could not be understood: the connection is as before. */
  | 'refused';

/** The message is the store's own, in one line. */
export class StoreError extends Error {
  readonly trouble: StoreTrouble;
  constructor(trouble: StoreTrouble, message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\s+/g, ' ').slice(0, 500), options);
    this.trouble = trouble;
  }
}
