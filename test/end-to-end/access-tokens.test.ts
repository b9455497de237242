import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Certificates } from '../support/certificates.ts';
import { eventually, freePort, Scratch, ServerProcess, SinkProcess } from './harness.ts';

/** As much of nodemailer as we use; it brings no types of its own. */
interface Mailer {
  sendMail(mail: Readonly<Record<string, string>>): Promise<{ readonly response: string }>;
  close(): void;
}
const { createTransport } = createRequire(import.meta.url)('nodemailer') as {
  createTransport(options: unknown): Mailer;
};

/** An introspection endpoint that knows one token, and answers those who have shown the secret only. */
async function endpoint(certificate: string, key: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const known = `Basic ${Buffer.from('mx:hush').toString('base64')}`;
      if (request.headers.authorization !== known) return response.writeHead(401).end();
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const claims = { active: form.get('token') === 'good', username: 'ann', exp: Date.now() / 1000 + 3600 };
      return response.setHeader('content-type', 'application/json').end(JSON.stringify(claims));
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, port };
}

test('nodemailer sends with an access token that an endpoint knows by https, and not with another, nor while it is down', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  const certificates = new Certificates(scratch.path);
  const { authority } = certificates;
  const { certificate, key } = certificates.issue('mx', ['localhost']);
  const { server: login, port } = await endpoint(certificate, key);
  const secret = join(scratch.path, 'secret');
  writeFileSync(secret, 'hush\n', { mode: 0o600 });
  const parameters = `uri = "https://localhost:${port}/introspect" client_id = "mx" client_secret_file = "${secret}" ca_file = "${authority}" cache = 0`;
  const submission = await freePort();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: `
ESMTP_Listener {
  Listen "127.0.0.1:${submission}" {
    Relay_Hosts = ( )
    Enable_Authentication = true
    TLS_Certificate = "${certificate}"
    TLS_Key = "${key}"
    SMTP_Extensions = ( ENHANCEDSTATUSCODES STARTTLS "AUTH XOAUTH2" )
    AuthXOAUTH2Parameters = [ ${parameters} ]
  }
}`,
  });
  const send = async (accessToken: string): Promise<string> => {
    const mailer = createTransport({
      host: 'localhost',
      port: submission,
      requireTLS: true,
      tls: { ca: readFileSync(authority) },
      auth: { type: 'OAuth2', user: 'ann', accessToken },
    });
    try {
      const mail = { from: 'ann@origin.test', to: 'bob@dest.test', subject: accessToken, text: 'hello' };
      return (await mailer.sendMail(mail)).response;
    } catch (error) {
      return String(error);
    } finally {
      mailer.close();
    }
  };
  try {
    expect(await send('good')).toMatch(/^250 2\.0\.0 OK/);
    expect(await send('bad')).toContain('535 5.7.8 Authentication credentials invalid');
    login.closeAllConnections();
    await new Promise((resolve) => login.close(resolve));
    expect(await send('good')).toContain('454 4.7.0 Temporary authentication failure');
  } finally {
    login.closeAllConnections();
    login.close();
  }
  await eventually('the message', () => sink.accepted('bob@dest.test').length === 1);
  expect(sink.accepted('bob@dest.test').map(({ subject }) => subject)).toEqual(['good']);
  const why = `IMP_INTROSPECTION https://localhost:${port}/introspect: it cannot be asked about access tokens: ECONNREFUSED`;
  await eventually('the paniclog', async () => (await server.log('paniclog')).includes(why));
  expect(await server.log('paniclog')).not.toMatch(/good|bad|hush/);
  expect(server.process.over).toBe(false);
});
