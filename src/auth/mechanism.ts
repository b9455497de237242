import type { Offered } from './named-scheme.ts';
import type { ScramSecret } from './scram-secret.ts';

/** What is spoken here with passwords and what is made of them, strongest first. */
export const MECHANISMS = ['SCRAM-SHA-256', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const;

export type MechanismName = (typeof MECHANISMS)[number];

/** What is spoken here with access tokens, which somebody else gives out and has to be asked about. */
export const TOKEN_MECHANISMS = ['OAUTHBEARER', 'XOAUTH2'] as const;

export type TokenMechanismName = (typeof TOKEN_MECHANISMS)[number];

/** Bytes of one response: longer ones are malformed. (RFC 4954 allows 12288 with base64; nothing here needs half of it.) */
export const MOST_RESPONSE = 8192;

/**
 * A secret of a user. For one who is not known there is a decoy that looks the same and never fits: the conversation
 * goes on to its end, and nobody learns by its course or its time who has an account.
 */
export type Found<T> =
  | { readonly kind: 'known'; readonly secret: T }
  | { readonly kind: 'unknown'; readonly decoy: T }
  | { readonly kind: 'unavailable' };

export type Verdict = 'right' | 'wrong' | 'unavailable';

/** The server's end of a mechanism: it takes what the client says, and never waits. */
export interface ServerMechanism {
  readonly name: MechanismName;
  /** @param initial  what came with the choice of the mechanism; undefined when nothing did */
  begin(initial: Uint8Array | undefined): ServerStep;
  /** The answer to a challenge. */
  respond(response: Uint8Array): ServerStep;
}

export type ServerStep =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | { readonly kind: 'granted'; readonly user: string /** The server's own proof. */; readonly bytes?: Uint8Array }
  | Denied
  | Question;

export interface Denied {
  readonly kind: 'denied';
  /** Undefined when it did not come to a name. */
  readonly user: string | undefined;
  /** `credentials` for wrong ones and for users that do not exist: nobody but the store knows which. */
  readonly why: 'credentials' | 'malformed' | 'unavailable';
  /** What the mechanism tells the client about it, as a last challenge; whatever comes back, it is over then. */
  readonly bytes?: Uint8Array;
}

/** What the store is asked before the next step. */
export type Question =
  | {
      readonly kind: 'verdict wanted';
      readonly user: string;
      readonly password: string;
      answered(verdict: Verdict): ServerStep;
    }
  | {
      readonly kind: 'password wanted';
      readonly user: string;
      /** For a store that compares by itself. */
      readonly offered: Offered;
      answered(found: Found<string> | { readonly kind: 'judged'; readonly verdict: 'right' | 'wrong' }): ServerStep;
    }
  /** MD5(user:realm:password) in hexadecimal. */
  | {
      readonly kind: 'digest wanted';
      readonly user: string;
      readonly realm: string;
      readonly offered: Offered;
      answered(found: Found<string>): ServerStep;
    }
  | { readonly kind: 'scram wanted'; readonly user: string; answered(found: Found<ScramSecret>): ServerStep };

/** The client's end. */
export interface ClientMechanism {
  readonly name: MechanismName;
  begin(): ClientStep;
  challenge(bytes: Uint8Array): ClientStep;
  /**
   * The server says that the client is in.
   * @returns whether it has shown that it knows the password too, where the mechanism asks that of it
   */
  granted(bytes: Uint8Array | undefined): boolean;
}

export type ClientStep =
  /** `bytes` undefined: the server speaks first. */
  | { readonly kind: 'response'; readonly bytes: Uint8Array | undefined }
  /** PBKDF2 is wanted: the machine does not wait. */
  | {
      readonly kind: 'derivation';
      readonly password: Uint8Array;
      readonly salt: Uint8Array;
      readonly iterations: number;
      derived(key: Uint8Array): ClientStep;
    }
  /** The server says what the mechanism does not allow. */
  | { readonly kind: 'failed'; readonly why: string };

export const challenge = (text: string): ServerStep => ({ kind: 'challenge', bytes: Buffer.from(text, 'utf8') });
export const response = (text: string): ClientStep => ({ kind: 'response', bytes: Buffer.from(text, 'utf8') });

export const malformed = (user?: string): Denied => ({ kind: 'denied', user, why: 'malformed' });
export const wrong = (user: string): Denied => ({ kind: 'denied', user, why: 'credentials' });
export const unavailable = (user: string): Denied => ({ kind: 'denied', user, why: 'unavailable' });
