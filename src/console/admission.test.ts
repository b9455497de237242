import { expect, test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import { authOptions } from '../auth/index.ts';
import { parseEndpoint } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { type Admission, admission, consoleWarnings } from './admission.ts';
import { permission } from './authorization.ts';
import { consoleOptions, consoleStanzas } from './options.ts';

async function generation(text: string): Promise<Generation> {
  return (await configured(text, [...authOptions, ...consoleOptions], consoleStanzas)).configuration.current;
}

function way(current: Generation, where: string, client: string): Admission['kind'] {
  const at = parseEndpoint(where);
  if (at.kind === 'error') throw new Error(at.text);
  return admission(current.receiving('control_listener', at, client), at).kind;
}

test('the examples of the manual let in and shut out whom they say', async () => {
  const both = await generation(`Control_Listener {
    AuthDigestMD5Parameters = [ uri = "digest:///p" ]
    Enable_Authentication = "true"
    Listen "/tmp/2025" { Enable_Authentication = "false" }
    Listen "127.0.0.1:2025" { }
  }`);
  expect([way(both, '/tmp/2025', '127.0.0.1'), way(both, '127.0.0.1:2025', '127.0.0.1')]).toEqual(['open', 'login']);
  const tcp = await generation(`Control_Listener {
    Listen "/tmp/2025" { }
    Listen ":2025" { AuthDigestMD5Parameters = [ uri = digest:///p ] }
  }`);
  expect([way(tcp, '/tmp/2025', '127.0.0.1'), way(tcp, ':2025', '192.0.2.1')]).toEqual(['open', 'login']);
  const clear = await generation(
    'Control_Listener { Listen "/tmp/2025" { AuthLoginParameters = [ uri = "file:///p" ] } }',
  );
  expect(way(clear, '/tmp/2025', '127.0.0.1')).toBe('login');
  const peer = await generation(`Control_Listener { Listen "0.0.0.0:2025" {
    Enable_Authentication = true
    AuthDigestMD5Parameters = [ uri = digest:///p ]
    Peer "192.0.2.1" { Always_Allow = true }
    Peer "192.0.2.2" { Always_Deny = true }
  } }`);
  const clients = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  expect(clients.map((client) => way(peer, '0.0.0.0:2025', client))).toEqual(['open', 'refused', 'login']);
});

test('parameters of the whole listener do not make a Unix socket ask for a login', async () => {
  const current = await generation(
    'Control_Listener { AuthDigestMD5Parameters = [ uri = "digest:///p" ] Listen "/run/c" { } Listen "[::1]:1" { } }',
  );
  expect([way(current, '/run/c', '127.0.0.1'), way(current, '[::1]:1', '::1')]).toEqual(['open', 'login']);
});

test('the check warns of consoles that nobody can use, that anybody can, and that tell passwords', async () => {
  const current = await generation(`Control_Listener {
    Listen "/run/c" { }
    Listen "127.0.0.1:1" { }
    Listen ":2" { }
    Listen "127.0.0.1:3" { Enable_Authentication = true }
    Listen ":4" { AuthLoginParameters = [ uri = "file:///p" ] }
    Listen ":5" { AuthDigestMD5Parameters = [ uri = "digest:///p" ] }
    Listen ":6" { Always_Deny = true }
  }`);
  expect(consoleWarnings(current).map(({ text }) => text)).toEqual([
    'Control_Listener 127.0.0.1:1: every user of this machine may run commands there, since nobody must log in',
    'Control_Listener 0.0.0.0:2: a console that others can reach needs a login: set Enable_Authentication and AuthDigestMD5Parameters',
    expect.stringMatching(/^Control_Listener 127\.0\.0\.1:3: Enable_Authentication is set and no way to log in is/),
    'Control_Listener 0.0.0.0:4: LOGIN sends passwords in clear over the network',
  ]);
});

test('roles are gone through in order: the user’s own, then those of his groups; a pattern that does not fit is passed', async () => {
  const current = await generation(`Authorization {
    Role "root" { allow = ( ".*" ) }
    Role "admin" { allow = ( "^config" "^summary$" ) }
    Role "john" { allow = ( "^pid$" ) }
  }`);
  const may = (user: string, roles: string[] | undefined, command: string): string => {
    const found = permission(current, { user, roles, groups: [] }, command);
    return found.kind === 'allowed' ? found.role : found.kind;
  };
  expect(may('john', ['admin'], 'pid')).toBe('john');
  expect(may('john', ['admin'], 'config set X 1')).toBe('admin');
  expect(may('john', ['admin'], 'summary reset')).toBe('refused');
  expect(may('john', ['admin', 'root'], 'summary reset')).toBe('root');
  expect(may('ann', [], 'pid')).toBe('refused');
  expect(may('', ['root'], 'pid')).toBe('root');
  expect(may('john', undefined, 'pid')).toBe('john');
  expect(may('john', undefined, 'summary')).toBe('unknown');
});
