import { type Millis, millis } from '../base/index.ts';
import {
  type DictionaryValue,
  duration,
  type Option,
  optional,
  ownOption,
  ValueError,
  type ValueType,
} from '../config/index.ts';
import type { TokenMechanismName } from './mechanism.ts';
import { booleanIn, parameterDictionary, textIn } from './parameter-dictionary.ts';

/** `AuthXOAUTH2Parameters = [ uri = "https://…/introspect" … ]`: who says what an access token is worth. */
export interface TokenParameters {
  /** The introspection endpoint (RFC 7662). */
  readonly uri: string;
  readonly clientId: string | undefined;
  readonly clientSecret: string | { readonly file: string } | undefined;
  /** The first of them that the answer has names the user. */
  readonly userClaims: readonly string[];
  /** All of them must be the token's. */
  readonly scopes: readonly string[];
  readonly audience: string | undefined;
  readonly timeoutMillis: Millis;
  /** How long an answer holds; 0: each token is asked about each time. */
  readonly cacheMillis: Millis;
  /** PEM bundle; undefined: those of the runtime. */
  readonly authorities: string | undefined;
  readonly verify: boolean;
  /** Tokens are taken without TLS, too. */
  readonly insecure: boolean;
  readonly logAuthentication: boolean;
}

const KEYS = [
  'uri',
  'client_id',
  'client_secret',
  'client_secret_file',
  'user_claim',
  'scope',
  'audience',
  'timeout',
  'cache',
  'ca_file',
  'verify',
  'insecure',
  'log_authentication',
];

export const authXoauth2Parameters: Option<TokenParameters | undefined> = ownOption(
  'authxoauth2parameters',
  optional(tokenDictionary()),
  tokenFacts('XOAUTH2'),
);
export const authOauthBearerParameters: Option<TokenParameters | undefined> = ownOption(
  'authoauthbearerparameters',
  optional(tokenDictionary()),
  tokenFacts('OAUTHBEARER'),
);

function tokenFacts(mechanism: TokenMechanismName) {
  return {
    scopes: ['esmtp_listener', 'listen', 'pathway', 'pathway_group', 'peer'],
    initial: undefined,
    summary: `where ${mechanism} asks about access tokens: the uri of an introspection endpoint (RFC 7662), and what it must say of a token`,
  } as const;
}

/** Claims that name somebody, the best first. */
const USER_CLAIMS = ['username', 'sub', 'email'];

function tokenDictionary(): ValueType<TokenParameters> {
  return parameterDictionary(
    KEYS,
    { shown: 'https://host/introspect', example: 'https://login.example.com/oauth2/introspect' },
    (values) => {
      const uri = endpointIn(values);
      const clientId = filled(values, 'client_id');
      const clientSecret = secretIn(values);
      if (clientSecret !== undefined && clientId === undefined)
        throw new ValueError('a client_id beside the client_secret');
      const authorities = fileIn(values, 'ca_file');
      const verify = booleanIn(values, 'verify', true);
      if (authorities !== undefined && !verify)
        throw new ValueError('ca_file or verify = false: with both nobody would be asked who signed');
      const claim = filled(values, 'user_claim');
      return {
        uri,
        clientId,
        clientSecret,
        userClaims: claim === undefined ? USER_CLAIMS : [claim],
        scopes: (filled(values, 'scope') ?? '').split(' ').filter((word) => word !== ''),
        audience: filled(values, 'audience'),
        timeoutMillis: durationIn(values, 'timeout', 5, [1, 60]),
        cacheMillis: durationIn(values, 'cache', 60, [0, 3600]),
        authorities,
        verify,
        insecure: booleanIn(values, 'insecure'),
        logAuthentication: booleanIn(values, 'log_authentication'),
      };
    },
  );
}

function endpointIn(values: DictionaryValue): string {
  const uri = textIn(values, 'uri');
  if (uri === undefined) throw new ValueError('a uri among the parameters');
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || !/^https?:\/\//i.test(uri) || url.hash !== '')
    throw new ValueError('a uri as https://host/introspect');
  if (url.username !== '' || url.password !== '')
    throw new ValueError('client_id and client_secret for who we are, and no user in the uri: it stands in logs');
  return uri;
}

function secretIn(values: DictionaryValue): TokenParameters['clientSecret'] {
  const secret = filled(values, 'client_secret');
  const file = fileIn(values, 'client_secret_file');
  if (file === undefined) return secret;
  if (secret !== undefined) throw new ValueError('client_secret or client_secret_file, and not both');
  return { file };
}

function fileIn(values: DictionaryValue, key: string): string | undefined {
  const path = filled(values, key);
  if (path !== undefined && (!path.startsWith('/') || path.includes('\0')))
    throw new ValueError(`an absolute path for ${key}`);
  return path;
}

function filled(values: DictionaryValue, key: string): string | undefined {
  const text = textIn(values, key);
  if (text === '') throw new ValueError(`something behind ${key} =`);
  return text;
}

function durationIn(
  values: DictionaryValue,
  key: string,
  initialSeconds: number,
  [least, most]: readonly [number, number],
): Millis {
  const written = textIn(values, key);
  if (written === undefined) return millis(initialSeconds * 1000);
  const seconds = duration.read({ kind: 'text', text: written, quoted: true, at: NOWHERE });
  if (seconds < least || seconds > most) throw new ValueError(`${least} to ${most} seconds for ${key}`);
  return millis(seconds * 1000);
}

/** A part of a value has no place of its own: that of the whole value is told. */
const NOWHERE = { file: '', line: 0, column: 0 };
