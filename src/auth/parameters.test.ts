import { describe, expect, test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import { parseEndpoint } from '../base/index.ts';
import { ConfigErrors, type View } from '../config/index.ts';
import { authOptions } from './options.ts';
import { authDigestMd5Parameters, authLoginParameters, authorizationParameters } from './parameters.ts';

async function view(text: string): Promise<View> {
  const at = parseEndpoint('127.0.0.1:2025');
  if (at.kind === 'error') throw new Error(at.text);
  const { configuration } = await configured(`Control_Listener { ${text} Listen "127.0.0.1:2025" { } }`, authOptions);
  return configuration.current.receiving('control_listener', at, '127.0.0.1');
}

test('parameters are read as the manual writes them, quoted or not', async () => {
  const found = await view(`
    AuthDigestMD5Parameters = [ uri = digest:///opt/msys/ecelerity/etc/console_passwd log_authentication = "true" realm = "r" ]
    AuthLoginParameters = [ uri = "file:///etc/unsafe passwd" ]
    AuthorizationParameters = [ uri = "groups:///etc/console_roles" ]`);
  expect(found.get(authDigestMd5Parameters)).toEqual({
    store: { scheme: 'digest', path: '/opt/msys/ecelerity/etc/console_passwd' },
    logAuthentication: true,
    realm: 'r',
  });
  expect(found.get(authLoginParameters)).toMatchObject({
    store: { path: '/etc/unsafe passwd' },
    logAuthentication: false,
  });
  expect(found.get(authorizationParameters)).toEqual({ store: { scheme: 'groups', path: '/etc/console_roles' } });
});

describe('what cannot be meant is refused with what was expected', () => {
  test.each([
    ['AuthLoginParameters = [ log_authentication = true ]', 'a uri among the parameters'],
    ['AuthLoginParameters = [ uri = "/etc/passwd" ]', 'a uri as digest:///path'],
    ['AuthLoginParameters = [ uri = "file://etc" ]', 'an absolute path behind file://'],
    [
      'AuthLoginParameters = [ uri = "groups:///x" ]',
      'a uri that LOGIN can use (file://, digest://, scram://, apikey://)',
    ],
    ['AuthLoginParameters = [ uri = "file:///x" relm = y ]', "'relm' is none of them"],
    ['AuthDigestMD5Parameters = [ uri = "digest:///x" relm = y ]', 'did you mean realm?'],
    ['AuthDigestMD5Parameters = [ uri = "file:///x" ]', 'stored_cleartext = true'],
    ['AuthDigestMD5Parameters = [ uri = "scram:///x" ]', 'DIGEST-MD5 can use'],
    ['AuthScramSha256Parameters = [ uri = "digest:///x" ]', 'SCRAM-SHA-256 can use'],
    ['AuthLoginParameters = [ uri = "file:///x" log_authentication = maybe ]', 'true or false for log_authentication'],
    ['AuthorizationParameters = [ uri = "file:///x" ]', 'a groups:// uri'],
  ])('%s', async (text, why) => {
    const error = await view(text).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigErrors);
    expect((error as ConfigErrors).checkLines.join('\n')).toContain(why);
  });
});

test('a scheme is a name; the check says which modules are not there yet', async () => {
  const { configuration } = await configured(
    'Control_Listener { AuthDigestMD5Parameters = [ uri = "ecauth://" ] AuthLoginParameters = [ uri = "ac_auth://" ] }',
    authOptions,
  );
  expect(configuration.notImplemented.map(({ line }) => line)).toEqual([expect.stringContaining('ac_auth://')]);
});
