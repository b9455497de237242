import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { send } from '../end-to-end/client.ts';
import { eventually, Running, Scratch, ServerProcess } from '../end-to-end/harness.ts';
import { Certificates } from '../support/certificates.ts';
import { need } from './peers.ts';
import { Postfix } from './postfix-server.ts';
import { Scene } from './tls-scene.ts';

const MOST = { timeout: 360_000 };

test('Postfix as destination: mail goes to it over TLS, its certificate verified by name', MOST, async (context) => {
  const program = need(context, 'postfix');
  if (process.getuid?.() !== 0) context.skip('only root can start a Postfix');
  using scratch = new Scratch();
  const certificates = new Certificates(scratch.path);
  const its = certificates.issue('postfix', ['dest.test']);
  await using postfix = await Postfix.start(program, (folder) => {
    copyFileSync(its.certificate, join(folder, 'crt.pem'));
    copyFileSync(its.key, join(folder, 'key.pem'));
    copyFileSync(certificates.authority, join(folder, 'ca.pem'));
    return [
      'default_transport = discard',
      'smtpd_tls_security_level = encrypt',
      `smtpd_tls_cert_file = ${folder}/crt.pem`,
      `smtpd_tls_key_file = ${folder}/key.pem`,
      `smtpd_tls_CAfile = ${folder}/ca.pem`,
      'smtpd_tls_ask_ccert = yes',
      'smtpd_tls_loglevel = 1',
    ];
  });
  const ours = certificates.issue('client', ['impetus.test']);
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: postfix.port,
    more: `
Domain "dest.test" {
  Gateway = "dest.test" Routes = ( "127.0.0.1" )
  TLS = required TLS_Verify = host TLS_Ca = "${certificates.authority}"
  TLS_Certificate = "${ours.certificate}" TLS_Key = "${ours.key}"
}`,
  });
  await send(server.port, 'ann@origin.test', ['bob@dest.test']);
  const line = await server.logged('D').catch(async (error: unknown) => {
    throw new Error(`${String(error)} ${await server.log('mainlog')} ${postfix.log}`);
  });
  expect(line.kind).toBe('D');
  await eventually('the log of Postfix', () =>
    /Trusted TLS connection established from .*TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384/.test(postfix.log),
  );
});

test('Postfix as source: it delivers to us over TLS that it has verified', MOST, async (context) => {
  const program = need(context, 'postfix');
  if (process.getuid?.() !== 0) context.skip('only root can start a Postfix');
  await using scene = await Scene.start();
  await using postfix = await Postfix.start(program, (folder) => {
    copyFileSync(scene.certificates.authority, join(folder, 'ca.pem'));
    return [
      `default_transport = smtp:[127.0.0.1]:${scene.server.port}`,
      'smtp_tls_security_level = secure',
      'smtp_tls_secure_cert_match = mx.impetus.test',
      `smtp_tls_CAfile = ${folder}/ca.pem`,
      'smtp_tls_loglevel = 1',
    ];
  });
  await using injecting = new Running(need(context, 'smtp-source'), [
    ...['-f', 'ann@origin.test', '-t', 'bob@dest.test', '-m', '1'],
    `127.0.0.1:${postfix.port}`,
  ]);
  expect(await injecting.ended).toMatchObject({ code: 0, errors: '' });
  await eventually('the message', () => scene.sink.accepted('bob@dest.test').length === 1).catch((error: unknown) => {
    throw new Error(`${String(error)} ${postfix.log}`);
  });
  expect(postfix.log).toMatch(/Verified TLS connection established to 127\.0\.0\.1.*TLSv1\.3/);
});
