import { describe, expect, test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import type { RawValue } from '../config/index.ts';
import { authOptions } from './options.ts';
import { tokenWarnings } from './token-check.ts';
import { authOauthBearerParameters, authXoauth2Parameters, type TokenParameters } from './token-parameters.ts';

const AT = { file: 'test', line: 1, column: 1 };
const URI = 'https://login.test/introspect';

function raw(entries: Readonly<Record<string, string>>): RawValue {
  const listed = Object.entries(entries).map(([key, text]) => ({
    key,
    value: { kind: 'text', text, quoted: true, at: AT } as const,
    at: AT,
  }));
  return { kind: 'dictionary', entries: listed, at: AT };
}

const read = (entries: Readonly<Record<string, string>>): TokenParameters | undefined =>
  authXoauth2Parameters.type.read(raw(entries));

test('a uri alone will do', () => {
  expect(read({ uri: URI })).toEqual({
    uri: URI,
    clientId: undefined,
    clientSecret: undefined,
    userClaims: ['username', 'sub', 'email'],
    scopes: [],
    audience: undefined,
    timeoutMillis: 5000,
    cacheMillis: 60_000,
    authorities: undefined,
    verify: true,
    insecure: false,
    logAuthentication: false,
  });
});

test('everything may be said, also for OAUTHBEARER', () => {
  const said = raw({
    uri: 'http://127.0.0.1:8080/i?x=1',
    Client_Id: 'mx',
    client_secret_file: '/etc/impetus/secret',
    user_claim: 'email',
    scope: 'mail.send  smtp',
    audience: 'mx',
    timeout: '10s',
    cache: '0',
    ca_file: '/etc/ca.pem',
    insecure: 'true',
    log_authentication: 'yes',
  });
  expect(authOauthBearerParameters.type.read(said)).toMatchObject({
    clientId: 'mx',
    clientSecret: { file: '/etc/impetus/secret' },
    userClaims: ['email'],
    scopes: ['mail.send', 'smtp'],
    audience: 'mx',
    timeoutMillis: 10_000,
    cacheMillis: 0,
    authorities: '/etc/ca.pem',
    insecure: true,
    logAuthentication: true,
  });
});

describe('what cannot be meant is refused with what was expected', () => {
  test.each<[Readonly<Record<string, string>>, string]>([
    [{}, 'a uri among the parameters'],
    [{ uri: 'file:///etc/users' }, 'a uri as https://host/introspect'],
    [{ uri: 'https:/x' }, 'a uri as https://host/introspect'],
    [{ uri: 'https://' }, 'a uri as https://host/introspect'],
    [{ uri: `${URI}#x` }, 'a uri as https://host/introspect'],
    [{ uri: 'https://me:secret@login.test/' }, 'no user in the uri'],
    [{ uri: URI, client_secret: 'x' }, 'a client_id beside'],
    [{ uri: URI, client_id: 'x', client_secret: 'y', client_secret_file: '/z' }, 'and not both'],
    [{ uri: URI, client_id: 'x', client_secret_file: 'z' }, 'an absolute path for client_secret_file'],
    [{ uri: URI, ca_file: 'ca.pem' }, 'an absolute path for ca_file'],
    [{ uri: URI, audience: '' }, 'something behind audience ='],
    [{ uri: URI, ca_file: '/x', verify: 'false' }, 'ca_file or verify = false'],
    [{ uri: URI, timeout: '0' }, '1 to 60 seconds for timeout'],
    [{ uri: URI, timeout: '61' }, '1 to 60 seconds for timeout'],
    [{ uri: URI, cache: '2h' }, '0 to 3600 seconds for cache'],
    [{ uri: URI, cache: 'long' }, 'a duration'],
    [{ uri: URI, insecure: 'perhaps' }, 'true or false for insecure'],
    [{ uri: URI, scopes: 'x' }, 'did you mean scope?'],
  ])('%j', (entries, why) => {
    expect(() => read(entries)).toThrow(why);
  });

  test('and the secret is not repeated', () => {
    expect(() => read({ uri: 'https://me:hush@login.test/' })).toThrow(/^(?!.*hush)/);
  });
});

test('the check warns where others can read tokens', async () => {
  const warned = async (uri: string, more = ''): Promise<readonly string[]> => {
    const text = `ESMTP_Listener { AuthXOAUTH2Parameters = [ uri = "${uri}" ${more} ] }`;
    const { configuration } = await configured(text, authOptions);
    return tokenWarnings(configuration.current).map((warning) => `${warning.place.column} ${warning.text}`);
  };
  expect(await warned('http://login.test:8080/i')).toEqual([
    expect.stringMatching(/^42 access tokens go to login.test:8080 unencrypted/),
  ]);
  expect(await warned(URI, 'verify = false')).toEqual([
    expect.stringMatching(/^42 verify = false: .* login\.test sees/),
  ]);
  for (const uri of [URI, 'http://localhost/i', 'http://127.0.0.1:8080/i', 'http://[::1]/i'])
    expect(await warned(uri)).toEqual([]);
});
