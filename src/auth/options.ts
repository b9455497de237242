import { boolean, type Option, option, optional, type View } from '../config/index.ts';
import type { MechanismOption } from './auth-ds-check.ts';
import { authDsOptions } from './auth-ds-options.ts';
import {
  authCramMd5Parameters,
  authDigestMd5Parameters,
  authLoginParameters,
  authorizationParameters,
  authPlainParameters,
  authScramSha256Parameters,
} from './parameters.ts';
import { authOauthBearerParameters, authXoauth2Parameters } from './token-parameters.ts';

export const enableAuthentication = option('enable_authentication', optional(boolean));
export const alwaysAllow = option('always_allow', boolean);
export const alwaysDeny = option('always_deny', boolean);
export const enableAuthorization = option('enable_authorization', optional(boolean));

/** Where listeners say by which store a mechanism goes. */
export const mechanismOptions: readonly MechanismOption[] = [
  { mechanism: 'LOGIN', option: authLoginParameters },
  { mechanism: 'PLAIN', option: authPlainParameters },
  { mechanism: 'CRAM-MD5', option: authCramMd5Parameters },
  { mechanism: 'DIGEST-MD5', option: authDigestMd5Parameters },
  { mechanism: 'SCRAM-SHA-256', option: authScramSha256Parameters },
];

/** Every option that has to do with who somebody is, and what they may. */
export const authOptions: readonly Option<unknown>[] = [
  enableAuthentication,
  alwaysAllow,
  alwaysDeny,
  enableAuthorization,
  authLoginParameters,
  authPlainParameters,
  authCramMd5Parameters,
  authDigestMd5Parameters,
  authScramSha256Parameters,
  authXoauth2Parameters,
  authOauthBearerParameters,
  authorizationParameters,
  ...authDsOptions,
];

/**
 * What `Always_Allow` and `Always_Deny` make of logging in, before anybody is asked for a name. `Always_Deny` wins.
 *
 * @returns undefined when the client has to show who it is
 * @see manual page control-auth, overriding authentication
 */
export function forcedOutcome(view: View): 'granted' | 'denied' | undefined {
  if (view.get(alwaysDeny)) return 'denied';
  return view.get(alwaysAllow) ? 'granted' : undefined;
}
