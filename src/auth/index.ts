/** Who somebody is: SASL mechanisms as machines, files of credentials and groups, and schemes that ask datasources. */

export { AuthDsScheme, schemePlans } from './auth-ds.ts';
export { authDsErrors, authDsWarnings, type MechanismOption } from './auth-ds-check.ts';
export { authDsStanzas } from './auth-ds-options.ts';
export type { TokenVerdict } from './bearer.ts';
export { cramClient } from './cram-md5.ts';
export { type CredentialStoreParts, CredentialStores } from './credential-stores.ts';
export { digestClient, digestOf } from './digest-md5.ts';
export { GuessBrake, networkOf } from './guess-brake.ts';
export { keyWarnings } from './key-check.ts';
export * from './mechanism.ts';
export * from './named-scheme.ts';
export {
  alwaysAllow,
  alwaysDeny,
  authOptions,
  enableAuthentication,
  enableAuthorization,
  forcedOutcome,
  mechanismOptions,
} from './options.ts';
export * from './parameters.ts';
export { loginClient, plainClient } from './plain.ts';
export { saslprep } from './saslprep.ts';
export { scramClient } from './scram.ts';
export { ITERATIONS, type ScramSecret, scramSecret, scramText } from './scram-secret.ts';
export {
  type Exchange,
  type ExchangeStores,
  type Outcome,
  ServerExchange,
  type ServerTerms,
  serverMechanism,
} from './server-exchange.ts';
export { type FileScheme, readStoreAddress, type StoreAddress, storeText } from './store-address.ts';
export { tokenWarnings } from './token-check.ts';
export { TokenExchange } from './token-exchange.ts';
export * from './token-parameters.ts';
export { Tokens, type TokensParts } from './tokens.ts';
