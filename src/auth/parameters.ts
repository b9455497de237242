import {
  type DictionaryValue,
  dictionary,
  type Option,
  option,
  optional,
  ownOption,
  type RawValue,
  ValueError,
  type ValueType,
} from '../config/index.ts';
import type { MechanismName } from './mechanism.ts';
import { booleanIn, parameterDictionary, textIn } from './parameter-dictionary.ts';
import { readStoreAddress, SERVES, type StoreAddress, storeText } from './store-address.ts';

/** `AuthDigestMD5Parameters = [ uri = … ]` and its like. */
export interface AuthParameters {
  readonly store: StoreAddress;
  /** Logins go to the acctlog, also over TCP. */
  readonly logAuthentication: boolean;
  /** DIGEST-MD5: undefined when the listener's own holds. */
  readonly realm: string | undefined;
}

export interface RoleParameters {
  readonly store: StoreAddress;
}

/** Listeners that do not log in by these yet. */
const elsewhere = { unservedIn: ['http_listener', 'xmpp_listener'] };

export const authLoginParameters = option('authloginparameters', optional(authParameters('LOGIN')), elsewhere);
export const authPlainParameters = option('authplainparameters', optional(authParameters('PLAIN')), {
  unservedIn: ['control_listener', 'xmpp_listener'],
});
export const authCramMd5Parameters = option('authcrammd5parameters', optional(authParameters('CRAM-MD5')), {
  unservedIn: ['control_listener', 'http_listener', 'xmpp_listener'],
});
export const authDigestMd5Parameters = option('authdigestmd5parameters', optional(authParameters('DIGEST-MD5')), {
  unservedIn: elsewhere.unservedIn.filter((scope) => scope !== 'http_listener'),
});
export const authScramSha256Parameters: Option<AuthParameters | undefined> = ownOption(
  'authscramsha256parameters',
  optional(authParameters('SCRAM-SHA-256')),
  {
    scopes: ['control_listener', 'esmtp_listener', 'listen', 'pathway', 'pathway_group', 'peer'],
    initial: undefined,
    summary: 'where SCRAM-SHA-256 looks up users: the uri of a scram or a clear-text file',
  },
);
export const authorizationParameters = option('authorizationparameters', optional(roleParameters()), {
  unservedIn: ['esmtp_listener'],
});

/** What a mechanism's dictionary may say. */
export function authParameters(mechanism: MechanismName): ValueType<AuthParameters> {
  const digest = mechanism === 'DIGEST-MD5';
  const keys = ['uri', 'log_authentication', ...(digest ? ['realm', 'stored_cleartext'] : [])];
  return parameters(keys, SERVES[mechanism][0] ?? 'file', 'console_passwd', (values) => {
    const store = storeIn(values);
    if (store.scheme !== 'named' && !SERVES[mechanism].includes(store.scheme))
      throw new ValueError(
        `a uri that ${mechanism} can use (${schemes(SERVES[mechanism])}); ${storeText(store)} is none`,
      );
    const clear = booleanIn(values, 'stored_cleartext');
    if (digest && store.scheme === 'file' && !clear)
      throw new ValueError('stored_cleartext = true beside a file:// uri: DIGEST-MD5 then computes what it needs');
    return { store, logAuthentication: booleanIn(values, 'log_authentication'), realm: textIn(values, 'realm') };
  });
}

function roleParameters(): ValueType<RoleParameters> {
  return parameters(['uri'], 'groups', 'console_roles', (values) => {
    const store = storeIn(values);
    if (store.scheme !== 'named' && store.scheme !== 'groups')
      throw new ValueError(`a groups:// uri; ${storeText(store)} is none`);
    return { store };
  });
}

function parameters<T>(
  keys: readonly string[],
  scheme: string,
  file: string,
  read: (values: DictionaryValue) => T,
): ValueType<T> {
  const uris = { shown: `${scheme}:///path`, example: `${scheme}:///etc/impetus/${file}` };
  return {
    ...parameterDictionary(keys, uris, read),
    unserved(raw) {
      const store = unservedStore(raw);
      return store === undefined ? [] : [`the scheme ${store}`];
    },
  };
}

/** Schemes that modules register which are not there yet. */
const UNSERVED: readonly string[] = ['ac_auth', 'smtp_auth_proxy'];

function unservedStore(raw: RawValue): string | undefined {
  try {
    const store = storeIn(dictionary.read(raw));
    return store.scheme === 'named' && UNSERVED.includes(store.name.toLowerCase()) ? storeText(store) : undefined;
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

function storeIn(values: DictionaryValue): StoreAddress {
  const uri = textIn(values, 'uri');
  if (uri === undefined) throw new ValueError('a uri among the parameters');
  return readStoreAddress(uri);
}

const schemes = (names: readonly string[]): string => names.map((name) => `${name}://`).join(', ');
