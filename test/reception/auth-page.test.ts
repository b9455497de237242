import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { authOauthBearerParameters, authXoauth2Parameters } from '../../src/auth/index.ts';
import { declaredOptions } from '../../src/main/index.ts';
import { configured } from '../support/configuration.ts';
import { WholeServer } from '../support/whole-server.ts';
import { goesAsItStands } from './talk.ts';

const page = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, is, text = '']) => (is === language ? [text] : []));
const [conf = '', tokens = ''] = blocks('conf');
const [users = ''] = blocks('users');

test('the page has two configurations, one file and two conversations', () => {
  expect([blocks('conf'), blocks('users'), blocks('smtp')].map(({ length }) => length)).toEqual([2, 1, 2]);
});

test('the configuration for access tokens is one', async () => {
  const { configuration } = await configured(tokens, declaredOptions);
  const [stanza] = configuration.current.settings([authXoauth2Parameters]);
  expect(stanza?.get(authXoauth2Parameters)).toMatchObject({ userClaims: ['email'], scopes: ['mail.send'] });
  expect([stanza?.get(authOauthBearerParameters)?.verify, configuration.notImplemented]).toEqual([true, []]);
});

describe.each(blocks('smtp'))('%s', (talk) => {
  test('goes as it stands there', async () => {
    const server = await WholeServer.with(conf);
    server.world.disk.put('/etc/impetus/users', users);
    await goesAsItStands(server, '10.0.0.25:587', talk);
    expect(server.told.join('\n')).not.toContain('secret');
  });
});
