import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Certificates } from '../support/certificates.ts';
import {
  type Ended,
  eventually,
  freePort,
  home,
  Running,
  run,
  Scratch,
  ServerProcess,
  SinkProcess,
} from './harness.ts';

/** examples/mailer, as somebody runs it who has read the README. */
function mailer(environment: Readonly<Record<string, string>>, ...addresses: readonly string[]): Promise<Ended> {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return new Running('env', [...settings, process.execPath, join(home, 'examples/mailer/main.ts'), ...addresses]).ended;
}

test('an application sends by SMTP with a password, by ECStream in clear or with TLS and a password, and by HTTP, and finds all in log, /stats and /metrics', async () => {
  await using sink = await SinkProcess.start();
  using scratch = new Scratch();
  const [http, stream, secure] = [await freePort(), await freePort(), await freePort()];
  const certificates = new Certificates(scratch.path);
  const { certificate, key } = certificates.issue('mail', ['localhost']);
  const users = join(scratch.path, 'users');
  writeFileSync(users, 'app:secret\n', { mode: 0o600 });
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: `
ESMTP_Listener {
  Enable_Authentication = true
  SMTP_Extensions = ( ENHANCEDSTATUSCODES "AUTH PLAIN" "AUTH LOGIN" )
  AuthPlainParameters = [ uri = "file://${users}" ]
}
ECStream_Listener {
  Listen "127.0.0.1:${stream}" { }
  Listen "127.0.0.1:${secure}" {
    Use_SSL = true
    TLS_Certificate = "${certificate}"
    TLS_Key = "${key}"
    Relay_Hosts = ( 192.0.2.1/32 )
    Enable_Authentication = true
    AuthPlainParameters = [ uri = "file://${users}" ]
  }
}
API_Key_File = "${scratch.path}/keys.json"
API_Store_File = "${scratch.path}/api.db"
HTTP_Listener { Listen "127.0.0.1:${http}" { } }
`,
  });
  const origin = `http://127.0.0.1:${http}`;
  const made = await run('impetus', ['apikey', 'create', '--label', 'app', '-c', server.file]);
  const bySmtp = (password: string) => ({ IMPETUS_URL: `smtp://app:${password}@127.0.0.1:${server.port}` });
  const byStream = { IMPETUS_URL: `ecstream://127.0.0.1:${stream}` };
  const bySecureStream = (password: string) => ({
    IMPETUS_URL: `ecstreams://app:${password}@localhost:${secure}`,
    NODE_EXTRA_CA_CERTS: certificates.authority,
  });
  const byHttp = { IMPETUS_URL: origin, IMPETUS_KEY: made.output.trim() };

  for (const [way, environment] of [
    ['smtp', bySmtp('secret')],
    ['stream', byStream],
    ['secure', bySecureStream('secret')],
    ['http', byHttp],
  ] as const) {
    const { code, output, errors } = await mailer(
      environment,
      `${way}-ann@dest.test`,
      `${way}-bob@dest.test`,
      'nobody',
    );
    expect([way, errors, output, code]).toEqual([way, '', expect.stringMatching(/^2 accepted, 1 rejected: /), 0]);
    for (const name of ['ann', 'bob'])
      await eventually(`${name}'s mail`, () => {
        const [one] = sink.accepted(`${way}-${name}@dest.test`);
        return one?.subject === `Hello ${way}-${name}`;
      });
  }

  for (const [environment, words] of [
    [bySmtp('wrong'), '535 5.7.8'],
    [bySecureStream('wrong'), '535 '],
    [{ IMPETUS_URL: bySecureStream('secret').IMPETUS_URL }, 'its authority is not known'],
    [{ IMPETUS_URL: 'ecstream://app:secret@192.0.2.1:1825' }, 'in clear: use tls'],
    [{ ...byHttp, IMPETUS_KEY: 'wrong' }, 'none that is known was given'],
    [{ IMPETUS_URL: 'ecstream://127.0.0.1:1' }, 'ECONNREFUSED'],
  ] as const)
    expect(await mailer(environment, 'ann@dest.test')).toMatchObject({
      code: 1,
      errors: expect.stringContaining(words) as string,
    });

  const received = (await server.mainlog()).filter(({ kind }) => kind === 'R');
  expect(received.map(({ fields }) => `${fields[5]} by ${fields[11]}`).toSorted()).toEqual([
    'http-ann by rest',
    'http-bob by rest',
    'secure-ann by ecstream',
    'secure-bob by ecstream',
    'smtp-ann by esmtp',
    'smtp-bob by esmtp',
    'stream-ann by ecstream',
    'stream-bob by ecstream',
  ]);
  const summary = await fetch(`${origin}/stats/summary`);
  expect(await summary.json()).toMatchObject({ ReceivedMessages: 8, DeliveredMessages: 8 });
  const metrics = (await (await fetch(`${origin}/metrics`)).text()).split('\n');
  for (const [protocol, count] of [
    ['esmtp', 2],
    ['ecstream', 4],
    ['rest', 2],
  ])
    expect(metrics).toContain(`impetus_messages_total{event="received",protocol="${protocol}"} ${count}`);
});
