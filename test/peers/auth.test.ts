import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, freePort, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { need } from './peers.ts';

const MOST = { timeout: 120_000 };
const MECHANISMS = ['LOGIN', 'PLAIN', 'CRAM-MD5', 'DIGEST-MD5'];

/** A server whose second port lets nobody relay but those who log in. */
async function begin() {
  const stack = new AsyncDisposableStack();
  const scratch = stack.use(new Scratch());
  const sink = stack.use(await SinkProcess.start());
  const port = await freePort();
  const file = join(scratch.path, 'users');
  writeFileSync(file, 'ann:sec ret\n');
  const parameters = ['Login', 'Plain', 'CramMD5', 'DigestMD5'].map((name) => {
    const clear = name === 'DigestMD5' ? ' stored_cleartext = true' : '';
    return `Auth${name}Parameters = [ uri = "file://${file}"${clear} ]`;
  });
  stack.use(
    await ServerProcess.start({
      directory: scratch.path,
      sink: sink.port,
      more: `
ESMTP_Listener {
  Listen "127.0.0.1:${port}" {
    Relay_Hosts = ( )
    Enable_Authentication = true
    SMTP_Extensions = ( ENHANCEDSTATUSCODES ${MECHANISMS.map((name) => `"AUTH ${name}"`).join(' ')} )
    ${parameters.join('\n    ')}
  }
}`,
    }),
  );
  return { sink, port, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.for(MECHANISMS)('swaks --auth %s gets in with the password, and not without', MOST, async (mechanism, context) => {
  const swaks = need(context, 'swaks', knowsSasl);
  await using scene = await begin();
  for (const [password, code] of [
    ['wrong', 28],
    ['sec ret', 0],
  ] as const) {
    const words = ['--server', '127.0.0.1', '--port', String(scene.port), '--from', 'a@origin.test'];
    const login = ['--auth', mechanism, '--auth-user', 'ann', '--auth-password', password];
    await using sending = new Running(swaks, [...words, '--to', 'bob@dest.test', ...login]);
    const ended = await sending.ended;
    expect([ended.code, ended.output]).toEqual([code, expect.stringContaining(code === 0 ? '235 2.7.0' : '535 5.7.8')]);
  }
  await eventually('the message', () => scene.sink.accepted('bob@dest.test').length === 1);
});

/** Without that module swaks has no DIGEST-MD5. */
const knowsSasl = (): boolean => spawnSync('perl', ['-MAuthen::SASL', '-MDigest::HMAC_MD5', '-e', '1']).status === 0;

const SMTPLIB = `
import smtplib, sys
def connect():
    return smtplib.SMTP('127.0.0.1', int(sys.argv[1]), local_hostname='python.test')
for mechanism in ['cram_md5', 'plain', 'login']:
    with connect() as client:
        client.ehlo()
        client.user, client.password = 'ann', 'sec ret'
        print(client.auth(mechanism.upper().replace('_', '-'), getattr(client, 'auth_' + mechanism))[0])
with connect() as client:
    try:
        client.sendmail('a@origin.test', ['bob@dest.test'], 'Subject: x\\r\\n\\r\\nhello\\r\\n')
    except smtplib.SMTPSenderRefused as error:
        print(error.smtp_code)
    client.login('ann', 'sec ret')
    client.sendmail('a@origin.test', ['bob@dest.test'], 'Subject: x\\r\\n\\r\\nhello\\r\\n')
    print('sent')
`;

test("Python's smtplib logs in by all three, and sends", MOST, async (context) => {
  const python = need(context, 'python3');
  await using scene = await begin();
  await using running = new Running(python, ['-c', SMTPLIB, String(scene.port)]);
  const ended = await running.ended;
  expect(ended.output.trim().split('\n')).toEqual(['235', '235', '235', '530', 'sent']);
  await eventually('the message', () => scene.sink.accepted('bob@dest.test').length === 1);
});

test.for(['PLAIN', 'LOGIN'])('one server logs in at another by %s', MOST, async (mechanism, context) => {
  const swaks = need(context, 'swaks');
  await using scene = await begin();
  using scratch = new Scratch();
  await using sender = await ServerProcess.start({
    directory: scratch.path,
    sink: scene.port,
    more: `
Outbound_SMTP_Auth_Type = "${mechanism}"
Outbound_SMTP_Auth_User = "ann"
Outbound_SMTP_Auth_Pass = "sec ret"
Outbound_SMTP_Auth_Insecure = true
`,
  });
  const words = ['--server', '127.0.0.1', '--port', String(sender.port), '--from', 'a@origin.test'];
  await using sending = new Running(swaks, [...words, '--to', 'bob@dest.test']);
  expect((await sending.ended).code).toBe(0);
  await eventually('the message', () => scene.sink.accepted('bob@dest.test').length === 1);
});
