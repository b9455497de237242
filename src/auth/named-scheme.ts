/** How a password is stored, in the words of auth_ds; the last one is our own. */
export const STORED_TYPES = [
  'clear',
  'ucrypt',
  'md5',
  'md5_hex',
  'md5_base64',
  'hmac_md5',
  'digest-md5',
  'sha1_hex',
  'sha1_base64',
  'smd5',
  'ssha1',
  'rfc2307',
  'scram-sha-256',
] as const;
export type StoredType = (typeof STORED_TYPES)[number];

/** `%{crypt}`: what has become of the password that a client offers. */
export type Crypt = 'clear' | 'md5' | 'hmac_md5' | 'digest-md5' | 'scram-sha-256';

/** What a client offers beside its name. */
export interface Offered {
  readonly crypt: Crypt;
  /** The password, or what the mechanism makes of it; empty where the client sends no such thing. */
  readonly password: string;
  /** The challenge; empty for a password in clear text. */
  readonly nonce: string;
  readonly realm: string;
  readonly digestUri: string;
}

/** One who wants to log in by a scheme. */
export interface LoginAttempt extends Offered {
  readonly user: string;
  /** As the listener names it: `ldapauth://`. */
  readonly uri: string;
}

export type SchemeAnswer =
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'unknown' }
  /** The store has compared what was offered. */
  | { readonly kind: 'judged'; readonly verdict: 'right' | 'wrong' }
  /** Several where the store has several; one of them must fit. */
  | { readonly kind: 'stored'; readonly type: StoredType; readonly texts: readonly string[] };

/** What stands behind `NAME://`: auth_ds, or a script. None of its calls rejects. */
export interface NamedScheme {
  ask(attempt: LoginAttempt): Promise<SchemeAnswer>;
  /** @returns undefined when nobody can say */
  rolesOf(user: string, uri: string): Promise<readonly string[] | undefined>;
  /** @returns all roles that there are; undefined when nobody can say */
  roles(uri: string): Promise<readonly string[] | undefined>;
}

/** Finds a scheme by its name; undefined when there is none. */
export type FindScheme = (name: string) => NamedScheme | undefined;
