import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, Running } from '../end-to-end/harness.ts';
import { need } from './peers.ts';
import { Scene } from './tls-scene.ts';

const MOST = { timeout: 360_000 };

test.for<[string, readonly string[], boolean]>([
  ['--tls', ['--tls'], false],
  ['--tls-on-connect', ['--tls-on-connect'], true],
])('swaks %s: the message arrives, marked ESMTPS', MOST, async ([, words, implicit], context) => {
  const swaks = need(context, 'swaks', speaksTls);
  await using scene = await Scene.start('', '', ['--keep', '@/kept']);
  await using sending = new Running(swaks, [
    '--server',
    '127.0.0.1',
    '--port',
    String(implicit ? scene.implicit : scene.server.port),
    ...words,
    '--tls-verify',
    '--tls-ca-path',
    scene.certificates.authority,
    '--from',
    'ann@origin.test',
    '--to',
    'bob@dest.test',
    '--header',
    'Subject: over TLS',
  ]);
  const ended = await sending.ended;
  expect(ended.output + ended.errors).toMatch(/~> +QUIT|<~ +250 2\.0\.0 OK/);
  expect(ended.code).toBe(0);
  await eventually('the message', () => scene.sink.accepted('bob@dest.test').length === 1);
  const folder = join(scene.path('@/kept'), 'new');
  const [name = ''] = await readdir(folder);
  expect(await readFile(join(folder, name), 'latin1')).toMatch(/with ESMTPS id/);
});

/** Without that module swaks has no TLS. */
const speaksTls = (): boolean => spawnSync('perl', ['-MNet::SSLeay', '-e', '1']).status === 0;

const SMTPLIB = `
import smtplib, ssl, sys
port, ca, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
if certificate: context.load_cert_chain(certificate, key)
with smtplib.SMTP('127.0.0.1', port, local_hostname='python.test') as client:
    client.ehlo()
    assert client.has_extn('starttls')
    client.starttls(context=context)
    client.ehlo()
    assert not client.has_extn('starttls')
    try:
        client.sendmail('ann@origin.test', ['bob@elsewhere.test'], 'Subject: x\\r\\n\\r\\nhello\\r\\n')
        print('sent')
    except smtplib.SMTPRecipientsRefused as error:
        print(error.recipients['bob@elsewhere.test'][0])
`;

const RELAY = 'TLS_Client_CA = "@/Test-Root.pem" TLS_Verified_Peer_Can_Relay = true Relay_Hosts = ( )';

test.for<[string, string, 'good' | 'stranger' | 'old' | 'none', RegExp]>([
  ['may relay with a certificate that is verified', RELAY, 'good', /^sent$/],
  ['may not with one of a stranger, and the session goes on', RELAY, 'stranger', /^550$/],
  ['may not with one that has expired', RELAY, 'old', /^550$/],
  ['may not without one', RELAY, 'none', /^550$/],
  ['may not when the mode is none', `${RELAY} TLS_Verify_Mode = none`, 'good', /^550$/],
  ['may relay when one is required and verified', `${RELAY} TLS_Verify_Mode = require`, 'good', /^sent$/],
  ['may not when one is required and a stranger has it', `${RELAY} TLS_Verify_Mode = require`, 'stranger', /^550$/],
  ['is let go when one is required and there is none', `${RELAY} TLS_Verify_Mode = require`, 'none', /^$/],
  ['may not where nobody is trusted', RELAY.replace('TLS_Client_CA = "@/Test-Root.pem"', ''), 'good', /^550$/],
])("a client of Python's smtplib %s", MOST, async ([, listener, which, expected], context) => {
  const python = need(context, 'python3');
  await using scene = await Scene.start(listener, 'Relay_Hosts = ( )');
  const shown =
    which === 'none'
      ? { certificate: '', key: '' }
      : scene.certificates.issue('client', ['client.test'], {
          selfSigned: which === 'stranger',
          expired: which === 'old',
        });
  await using sending = new Running(python, [
    '-c',
    SMTPLIB,
    String(scene.server.port),
    scene.certificates.authority,
    shown.certificate,
    shown.key,
  ]);
  const ended = await sending.ended;
  expect(ended.output.trim()).toMatch(expected);
  if (expected.source === '^550$') {
    const rejectlog = await eventually('a rejection', async () => {
      const text = await scene.server.log('rejectlog');
      return text.includes('relaying denied') && text;
    });
    expect(rejectlog).toContain('tls=on');
    expect(rejectlog.includes('tls_client_cert_subject_cn=client.test')).toBe(
      which !== 'none' && !listener.includes('= none'),
    );
    expect(rejectlog.includes('tls_client_verified=yes')).toBe(false);
  }
});
