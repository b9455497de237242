import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type EcstreamLost, type EcstreamOptions, ecstream } from '../../src/ecstream-client/index.ts';
import { Certificates } from '../support/certificates.ts';
import { eventually, freePort, run, Scratch, ServerProcess, SinkProcess } from './harness.ts';

const MESSAGES = Number(process.env.ECSTREAM_MESSAGES ?? 10_000);
/** Mail is kept and not delivered, so that the spool tells what was taken. */
const HOLD = 'suspend_delivery = true';

const listener = (port: number): string => `ECStream_Listener { Listen "127.0.0.1:${port}" { } }`;

test(`${MESSAGES} messages by the client library, the server killed in the middle: each is there, once`, async () => {
  using scratch = new Scratch();
  const port = await freePort();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: 1,
    more: `${listener(port)}\n${HOLD}`,
  });
  await using client = ecstream({ port, mostWaiting: 2000 });
  let accepted = 0;
  const ids = new Set<string>();
  const killed = (async () => {
    await eventually('a third of them', () => accepted > MESSAGES / 3);
    await server.kill();
    await server.restart();
  })();
  const sends: Promise<void>[] = [];
  for (let n = 0; n < MESSAGES; n++) {
    await client.room();
    sends.push(
      client
        .send({ from: 'a@origin.test', to: [`u${n}@dest.test`], body: `Subject: number ${n}\n\nhello ${n}\n` })
        .then(({ id }) => {
          accepted += 1;
          ids.add(id);
        }),
    );
  }
  await Promise.all([...sends, killed]);
  expect(accepted).toBe(MESSAGES);
  expect(ids.size).toBe(MESSAGES);
  expect(client.connections).toBe(2);
  await client.close();
  await server.stop();
  const { output } = await run('impetus', ['spool', 'list', '-c', server.file, '--json']);
  const kept = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { recipient: string });
  expect(kept.map(({ recipient }) => recipient).toSorted()).toEqual(
    Array.from({ length: MESSAGES }, (_, n) => `u${n}@dest.test`).toSorted(),
  );
}, 120_000);

test('two servers chained by ECStream, each killed while mail flows: every message arrives, none twice', async () => {
  using first = new Scratch();
  using second = new Scratch();
  const [inPort, nextPort] = [await freePort(), await freePort()];
  await using sink = await SinkProcess.start();
  await using receiver = await ServerProcess.start({
    directory: second.path,
    sink: sink.port,
    more: listener(nextPort),
  });
  await mkdir(join(first.path, 'log'), { recursive: true });
  await using sender = await ServerProcess.start({
    directory: first.path,
    sink: 1,
    more: `${listener(inPort)}\nDelivery_Method = "ECSTREAM"\nECStream_Port = ${nextPort}\nRetry_Interval = 1\nHost_Failure_Retry = 1`,
  });
  const count = 1500;
  await using client = ecstream({ port: inPort, mostWaiting: 200 });
  const sent = client.sendAll(
    (function* () {
      for (let n = 0; n < count; n++)
        yield { from: 'a@origin.test', to: [`u${n}@dest.test`], body: `Subject: ${n}\n\nhello\n` };
    })(),
  );
  await eventually('some have arrived', () => sink.arrived.length > 100);
  await receiver.kill();
  await receiver.restart();
  await sender.kill();
  await sender.restart();
  const results = await sent;
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
  const arrived = (): Map<string, number> => {
    const times = new Map<string, number>();
    for (const { subject } of sink.arrived) times.set(subject, (times.get(subject) ?? 0) + 1);
    return times;
  };
  await eventually('all have arrived', () => arrived().size === count, 60_000);
  // The SMTP hop to the sink has its documented window: what was on that wire at the kill may come again, and no more.
  const twice = [...arrived().values()].filter((times) => times > 1).length;
  expect(twice).toBeLessThan(200);
  const log = await receiver.mainlog();
  const received = log.filter(({ kind }) => kind === 'R');
  expect(received.length).toBeGreaterThan(0);
  expect(received.every(({ fields }) => fields.includes('ecstream'))).toBe(true);
}, 120_000);

test('impetus send --ecstream brings mail to a server that then delivers it, and consoles see the session', async () => {
  using scratch = new Scratch();
  const port = await freePort();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port, more: listener(port) });
  const words = ['send', '--ecstream', '--server', `127.0.0.1:${port}`, '--count', '200', '--to', 'u{n}@dest.test'];
  const { code, output, errors } = await run('impetus', words);
  expect([code, errors]).toEqual([0, '']);
  expect(output).toMatch(/^200 accepted in /);
  await eventually('all arrived', () => sink.arrived.length === 200);
  const line = await server.logged('R');
  expect(line.fields).toContain('ecstream');
  await using client = ecstream({ port });
  await client.send({ from: 'a@origin.test', to: ['x@dest.test'], body: 'Subject: x\n\nx\n' });
  expect((await server.console('show', 'inbound')).output).toContain('ECStream');
});

test.for([
  ['required and verified', 'TLS = required TLS_Verify = ca TLS_Ca = "@"', 'tls', 'D'],
  ['if it is available', 'TLS = ifavailable', 'tls', 'D'],
  ['in clear, if it is not', 'TLS = ifavailable', 'clear', 'D'],
  ['never in clear when it is required', 'TLS = required', 'clear', '451 4.7.5 [internal] TLS negotiation failed'],
] as const)('between servers mail goes over TLS: %s', async ([, options, door, expected]) => {
  using first = new Scratch();
  using second = new Scratch();
  const certificates = new Certificates(second.path);
  const [inPort, tls, clear] = [await freePort(), await freePort(), await freePort()];
  await using sink = await SinkProcess.start();
  const { certificate, key } = certificates.issue('relay', ['relay.test']);
  await using receiver = await ServerProcess.start({
    directory: second.path,
    sink: sink.port,
    more: `ECStream_Listener {
      Listen "127.0.0.1:${tls}" { Use_SSL = true TLS_Certificate = "${certificate}" TLS_Key = "${key}" }
      Listen "127.0.0.1:${clear}" { }
    }`,
  });
  await using sender = await ServerProcess.start({
    directory: first.path,
    sink: 1,
    more: `${listener(inPort)} Delivery_Method = "ECSTREAM" ECStream_Port = ${door === 'tls' ? tls : clear}
      ${options.replace('@', certificates.authority)}`,
  });
  await using client = ecstream({ port: inPort });
  await client.send({ from: 'a@origin.test', to: ['x@dest.test'], body: 'Subject: x\n\nx\n' });
  if (expected !== 'D') {
    expect((await sender.logged('T')).fields.join('@')).toContain(expected);
    return;
  }
  await sender.logged('D');
  expect((await receiver.logged('R')).fields).toContain('ecstream');
  await eventually('the message', () => sink.arrived.length === 1);
});

test('between servers a login goes over TLS, and one that the peer does not know makes mail wait', async () => {
  using first = new Scratch();
  using second = new Scratch();
  const { certificate, key } = new Certificates(second.path).issue('relay', ['relay.test']);
  const [inPort, port] = [await freePort(), await freePort()];
  const users = join(second.path, 'users');
  await writeFile(users, 'ann:s3cret\n', { mode: 0o600 });
  await using sink = await SinkProcess.start();
  await using receiver = await ServerProcess.start({
    directory: second.path,
    sink: sink.port,
    more: `ECStream_Listener {
      Listen "127.0.0.1:${port}" {
        Use_SSL = true
        TLS_Certificate = "${certificate}"
        TLS_Key = "${key}"
        Relay_Hosts = ( 192.0.2.1/32 )
        Enable_Authentication = true
        AuthPlainParameters = [ uri = "file://${users}" ]
      }
    }`,
  });
  await using sender = await ServerProcess.start({
    directory: first.path,
    sink: 1,
    more: `${listener(inPort)} Delivery_Method = "ECSTREAM" ECStream_Port = ${port} TLS = required Retry_Interval = 3 Host_Failure_Retry = 3
      Outbound_SMTP_Auth_Type = "PLAIN" Outbound_SMTP_Auth_User = "ann" Outbound_SMTP_Auth_Pass = "guess"`,
  });
  await using client = ecstream({ port: inPort });
  await client.send({ from: 'a@origin.test', to: ['x@dest.test'], body: 'Subject: x\n\nx\n' });
  expect((await sender.logged('T')).fields.join('@')).toContain('451 4.7.0 [internal] AUTH failed: 535 5.7.8');
  expect((await sender.log('paniclog')).match(/AUTH failed/g)).toHaveLength(1);
  expect((await sender.console('config', 'set', 'outbound_smtp_auth_pass', 's3cret')).code).toBe(0);
  await eventually('the message', () => sink.arrived.length === 1, 40_000);
  expect((await receiver.logged('R')).fields).toContain('ecstream');
});

test('a client with an API key speaks TLS to a listener with Use_SSL, and not to one whose certificate is not right', async () => {
  using scratch = new Scratch();
  const certificates = new Certificates(scratch.path);
  const { certificate, key } = certificates.issue('mail', ['mail.test', 'localhost']);
  const own = certificates.issue('own', ['own.test'], { selfSigned: true });
  const program = certificates.issue('program', ['program.test']);
  const [port, clear, strict] = [await freePort(), await freePort(), await freePort()];
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: 1,
    more: `${HOLD} API_Key_File = "${scratch.path}/keys.json"
      ECStream_Listener {
        Listen "127.0.0.1:${port}" {
          Enable_Authentication = true
          Relay_Hosts = ( 192.0.2.1/32 )
          Use_SSL = true
          TLS_Certificate = "${certificate}"
          TLS_Key = "${key}"
        }
        Listen "127.0.0.1:${clear}" { }
        Listen "127.0.0.1:${strict}" {
          Use_SSL = true
          TLS_Certificate = "${own.certificate}"
          TLS_Key = "${own.key}"
          TLS_Verify_Mode = "require"
          TLS_Client_CA = "${certificates.authority}"
        }
      }`,
  });
  const words = ['apikey', 'create', '--label', 'mailer', '--grant', 'smtp/inject', '-c', server.file];
  const login = { apiKey: (await run('impetus', words)).output.trim() };
  const ca = await readFile(certificates.authority, 'utf8');
  const message = { from: 'a@origin.test', to: ['x@elsewhere.test'], body: 'Subject: x\n\nx\n' };
  const sent = async (options: EcstreamOptions): Promise<string> => {
    await using client = ecstream({ port, login, ...options });
    return client.send(message).then(
      ({ id }) => (id === '' ? 'no id' : 'accepted'),
      (why: EcstreamLost) => why.message,
    );
  };
  expect(await sent({ host: 'localhost', tls: { ca } })).toBe('accepted');
  expect(await sent({ tls: { ca, servername: 'mail.test' } })).toBe('accepted');
  expect(await sent({ tls: { rejectUnauthorized: false } })).toBe('accepted');
  expect(await sent({ tls: { ca, servername: 'mail.test' }, login: { apiKey: 'x'.repeat(40) } })).toMatch(/^535 /);
  // A certificate that has signed itself is its own authority; this listener asks for the client's too.
  const trusting = { ca: await readFile(own.certificate), servername: 'own.test' };
  const [cert, secret] = [await readFile(program.certificate), await readFile(program.key)];
  expect(await sent({ port: strict, tls: { ...trusting, cert, key: secret } })).toBe('accepted');
  expect(await sent({ port: strict, patience: 0, tls: trusting })).not.toBe('accepted');
  // No patience is spent on what will not mend.
  const began = performance.now();
  expect(await sent({ tls: true, host: 'localhost' })).toMatch(/not trusted: its authority is not known/);
  expect(await sent({ tls: { ca } })).toBe(
    'the certificate of the server is not for 127.0.0.1, but for mail.test, localhost',
  );
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(await sent({ port: clear, patience: 0, tls: { ca, servername: 'mail.test' } })).toMatch(
    /during the TLS handshake, as a listener without Use_SSL does$/,
  );
  expect(() => ecstream({ host: '192.0.2.1', login })).toThrow(/in clear: use tls/);
  const file = join(scratch.path, 'mailer.key');
  await writeFile(file, `${login.apiKey}\n`);
  const sends = ['send', '--ecstream', '--server', `127.0.0.1:${port}`, '--tls', '--api-key-file', file];
  const signed = [...sends, '--ca', certificates.authority, '--to', 'x@elsewhere.test'];
  expect(await run('impetus', [...signed, '--server-name', 'mail.test'])).toMatchObject({ code: 0, errors: '' });
  expect((await run('impetus', signed)).errors).toMatch(/is not for 127\.0\.0\.1, but for mail\.test, localhost\n$/);
  expect((await server.console('ledger')).output).toMatch(/Received: +5\n/);
});
