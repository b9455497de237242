import {
  type AuthParameters,
  authCramMd5Parameters,
  authDigestMd5Parameters,
  authLoginParameters,
  authPlainParameters,
  authScramSha256Parameters,
  MECHANISMS,
  type MechanismName,
} from '../auth/index.ts';
import type { Option, View } from '../config/index.ts';

/** A mechanism that `SMTP_Extensions` lists. */
export interface AuthOffer {
  readonly mechanism: MechanismName;
  /** Undefined where nobody says where its users are: then nobody can be looked up. */
  readonly parameters: AuthParameters | undefined;
}

const PARAMETERS: Readonly<Record<MechanismName, Option<AuthParameters | undefined>>> = {
  LOGIN: authLoginParameters,
  PLAIN: authPlainParameters,
  'CRAM-MD5': authCramMd5Parameters,
  'DIGEST-MD5': authDigestMd5Parameters,
  'SCRAM-SHA-256': authScramSha256Parameters,
};

/** @param extensions  in upper case; their order is kept */
export function authOffers(view: View, extensions: readonly string[]): readonly AuthOffer[] {
  return extensions.flatMap((word) => {
    const mechanism = MECHANISMS.find((name) => word === `AUTH ${name}`);
    return mechanism === undefined ? [] : [{ mechanism, parameters: view.get(PARAMETERS[mechanism]) }];
  });
}

/** The lines of EHLO: that of RFC 4954, and the one with `=` that old clients look for. */
export function authKeywords(offers: readonly AuthOffer[]): readonly string[] {
  const names = [...new Set(offers.map(({ mechanism }) => mechanism))].join(' ');
  return names === '' ? [] : [`AUTH ${names}`, `AUTH=${names}`];
}
