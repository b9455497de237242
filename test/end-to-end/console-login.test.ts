import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, freePort, run, Scratch, ServerProcess, SinkProcess } from './harness.ts';

test('a user made with ec_md5passwd or impetus passwd logs in over TCP, does what his roles allow, and is accounted', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  const [digest, scram] = [await freePort(), await freePort()];
  const file = (name: string): string => join(scratch.path, name);
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: `
Control_Listener {
  AuthorizationParameters = [ uri = "groups://${file('roles')}" ]
  Enable_Authorization = true
  Listen "${join(scratch.path, 'control')}" { }
  Listen "127.0.0.1:${digest}" { AuthDigestMD5Parameters = [ uri = "digest://${file('passwd')}" log_authentication = true ] }
  Listen "127.0.0.1:${scram}" { AuthScramSha256Parameters = [ uri = "scram://${file('scram')}" ] }
}
Authorization { Role "reader" { Allow = ( "^summary$" "^pid$" ) } Role "${userInfo().username}" { Allow = ( "^version" ) } }
`,
  });
  const password = file('password');
  writeFileSync(password, 'secret word\n', { mode: 0o600 });
  const asks = (at: string, ...words: readonly string[]) =>
    run('ec_console', ['--password-file', password, at, ...words]);
  const ofDigest = `fred@127.0.0.1:${digest}`;
  expect((await asks(ofDigest, 'pid')).code).toBe(4);

  expect(await run('ec_md5passwd', ['-f', file('passwd'), 'fred', 'secret word'])).toMatchObject({ code: 0 });
  expect(await run('impetus', ['passwd', '-f', file('scram'), 'fred'], 'secret word\n')).toMatchObject({ code: 0 });
  expect(statSync(file('scram')).mode & 0o777).toBe(0o640);
  writeFileSync(file('roles'), 'reader:fred\n');
  expect(await asks(ofDigest, 'pid')).toMatchObject({ code: 0, output: `${server.process.pid}\n` });
  expect((await asks(`fred@127.0.0.1:${scram}`, 'pid')).code).toBe(0);
  expect(await asks(ofDigest, 'shutdown')).toMatchObject({ code: 5, output: 'Not Authorized for this command\n' });

  // Who changes the groups changes what is allowed, without a restart.
  appendFileSync(file('roles'), 'writer:fred\n');
  expect((await asks(ofDigest, 'authz', 'id')).output).toContain('<Role name="writer"/>');

  // Over the Unix socket nobody types a password: the system says who it is.
  expect((await server.console('version')).code).toBe(0);
  expect((await server.console('pid')).code).toBe(5);
  const log = await eventually('all of it in the acctlog', async () => {
    const text = await server.log('acctlog');
    return text.includes('@0@pid') && text;
  });
  const user = userInfo().username;
  const lines = log
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\d{10}@/, '').replace(/@127\.0\.0\.1:\d+@fred/, '@PEER@fred'));
  expect(lines).toContain(`N@127.0.0.1:${digest}@PEER@fred@0`);
  expect(lines).toContain(`N@127.0.0.1:${digest}@PEER@fred@1`);
  expect(lines).toContain(`Z@127.0.0.1:${digest}@PEER@fred@1@pid@reader`);
  expect(lines).toContain(`Z@127.0.0.1:${digest}@PEER@fred@0@shutdown`);
  expect(lines).toContain(`N@${server.control}@@${user}@1`);
  expect(lines).toContain(`Z@${server.control}@@${user}@1@version@${user}`);
  expect(lines.filter((line) => line.startsWith(`N@127.0.0.1:${scram}`))).toEqual([]);
});
