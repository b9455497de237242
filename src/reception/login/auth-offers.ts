import {
  type AuthParameters,
  authCramMd5Parameters,
  authDigestMd5Parameters,
  authLoginParameters,
  authOauthBearerParameters,
  authPlainParameters,
  authScramSha256Parameters,
  authXoauth2Parameters,
  MECHANISMS,
  type MechanismName,
  TOKEN_MECHANISMS,
  type TokenMechanismName,
  type TokenParameters,
} from '../../auth/index.ts';
import type { Option, View } from '../../config/index.ts';

/** A mechanism that `SMTP_Extensions` lists; `parameters` undefined where nobody says who knows its users. */
export type AuthOffer =
  | { readonly kind: 'password'; readonly mechanism: MechanismName; readonly parameters: AuthParameters | undefined }
  | {
      readonly kind: 'token';
      readonly mechanism: TokenMechanismName;
      readonly parameters: TokenParameters | undefined;
    };

const PARAMETERS: Readonly<Record<MechanismName, Option<AuthParameters | undefined>>> = {
  LOGIN: authLoginParameters,
  PLAIN: authPlainParameters,
  'CRAM-MD5': authCramMd5Parameters,
  'DIGEST-MD5': authDigestMd5Parameters,
  'SCRAM-SHA-256': authScramSha256Parameters,
};

const TOKEN_PARAMETERS: Readonly<Record<TokenMechanismName, Option<TokenParameters | undefined>>> = {
  OAUTHBEARER: authOauthBearerParameters,
  XOAUTH2: authXoauth2Parameters,
};

/** @param extensions  in upper case; their order is kept */
export function authOffers(view: View, extensions: readonly string[]): readonly AuthOffer[] {
  return extensions.flatMap((word): readonly AuthOffer[] => {
    const mechanism = MECHANISMS.find((name) => word === `AUTH ${name}`);
    if (mechanism !== undefined) return [{ kind: 'password', mechanism, parameters: view.get(PARAMETERS[mechanism]) }];
    const token = TOKEN_MECHANISMS.find((name) => word === `AUTH ${name}`);
    if (token === undefined) return [];
    return [{ kind: 'token', mechanism: token, parameters: view.get(TOKEN_PARAMETERS[token]) }];
  });
}

/** Whether a client without TLS may use it. Who reads a token on the wire can use it elsewhere (RFC 7628 §4). */
export const inClear = (offer: AuthOffer): boolean => offer.kind === 'password' || offer.parameters?.insecure === true;

/** Keywords of EHLO by whether TLS is on. */
interface AuthKeywords {
  readonly inClear: readonly string[];
  readonly encrypted: readonly string[];
}

export const authKeywords = (offers: readonly AuthOffer[]): AuthKeywords => ({
  inClear: keywordsOf(offers.filter(inClear)),
  encrypted: keywordsOf(offers),
});

/** The lines of EHLO: that of RFC 4954, and the one with `=` that old clients look for. */
function keywordsOf(offers: readonly AuthOffer[]): readonly string[] {
  const names = [...new Set(offers.map(({ mechanism }) => mechanism))].join(' ');
  return names === '' ? [] : [`AUTH ${names}`, `AUTH=${names}`];
}
