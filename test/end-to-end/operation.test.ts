import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, send } from './client.ts';
import { eventually, run, Scratch, ServerProcess, SinkProcess } from './harness.ts';

async function asked(port: number): Promise<string> {
  await using client = await Client.connect(port);
  // A session that began before a commit is told so with 421 at MAIL.
  const said = await client.says('MAIL FROM:<ann@origin.test>');
  return said.startsWith('250') ? await client.says('RCPT TO:<bob@dest.test>') : said;
}

test('SIGHUP reads the configuration again; a broken file changes nothing', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Relay_Hosts = ( )',
  });
  expect(await asked(server.port)).toMatch(/^550 5\.7\.1/);

  server.configure('');
  server.process.signal('SIGHUP');
  await eventually('the new configuration', async () => (await asked(server.port)).startsWith('250'));

  server.configure('Relay_Hosts = ( \nGateway');
  server.process.signal('SIGHUP');
  await eventually('a complaint in the paniclog', async () =>
    /impetus\.conf:\d+:\d+: error/.test(await server.log('paniclog')),
  );
  expect(await asked(server.port)).toMatch(/^250/);
});

test('impetus check says what is wrong and where, and start does not begin with it', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  expect((await run('impetus', ['check', '-c', server.file])).code).toBe(0);
  server.configure('Retry_Intervall = 5');
  const checked = await run('impetus', ['check', '-c', server.file]);
  expect(checked.code).toBe(1);
  expect(checked.output + checked.errors).toMatch(/impetus\.conf:\d+:\d+: error: .*Retry_Interval/i);
  expect((await run('impetus', ['start', '-c', server.file])).code).not.toBe(0);
});

test('the console shows what waits, and lets it be tried, failed and flushed', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Retry_Interval = 3600',
  });
  await send(server.port, 'ann@origin.test', ['grey-1ms@dest.test']);
  const { fields } = await server.logged('T');
  const id = fields[1] ?? '';
  const domain = fields[5] ?? '';

  expect((await server.console('mailq')).output).toContain(domain);
  const listed = await server.console('showqueue', domain);
  expect(listed).toMatchObject({ code: 0 });
  expect(listed.output).toContain(id);
  expect(listed.output).toContain('From: <ann@origin.test> To: <grey-1ms@dest.test>');
  expect((await server.console('message', 'details', id)).output).toContain('grey-1ms@dest.test');
  expect((await server.console('flush', 'domain', domain)).output).toContain(
    `${domain} flushed.  1 messages requeued.`,
  );
  await server.logged('D', id);

  await send(server.port, '', ['defer@dest.test']);
  const waiting = await eventually('the second one', async () =>
    (await server.mainlog()).find((line) => line.kind === 'T' && line.fields[1] !== id),
  );
  expect((await server.console('fail', 'domain', domain)).output).toContain(`${domain} purged. 1 messages failed.`);
  expect((await server.logged('P', waiting.fields[1])).fields[13]).toMatch(/purged/);
});

test('the console speaks one-shot, from standard input, and with exit codes', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  const version = await server.console('version');
  expect(version).toMatchObject({ code: 0, errors: '' });
  expect(version.output).toMatch(/impetus/i);
  expect((await server.console('help')).code).toBe(0);
  expect((await server.console('summary')).output).toMatch(/^Summary Statistics/m);
  expect((await server.console('explode')).output).toContain('Unknown command');
  expect((await server.console('explode')).code).toBe(2);
  expect((await run('ec_console', [join(scratch.path, 'nobody'), 'version'])).code).toBe(3);
  const batch = await run('ec_console', [server.control], 'version\n\n# a comment\nmailq\n');
  expect(batch.code).toBe(0);
  expect(batch.output).toContain(version.output.trim());

  expect((await server.console('config', 'set', 'relay_hosts', '( )')).code).toBe(0);
  expect(await asked(server.port)).toMatch(/^550 5\.7\.1/);
  expect((await server.console('config', 'get', 'relay_hosts')).code).toBe(0);
  expect((await server.console('config', 'get', 'no_such_option')).code).toBe(1);

  expect((await server.console('shutdown')).code).toBe(0);
  expect((await server.process.ended).code).toBe(0);
});

test('impetus send shows the id of an accepted message, refusals with exit code 1, and usage with 2', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Relay_Domains = ( "ours.test" )\nRelay_Hosts = ( )',
  });
  const at = ['--server', `127.0.0.1:${server.port}`];
  const sent = await run('impetus', ['send', ...at, '--to', 'bob@ours.test', '--subject', 'by hand']);
  expect(sent).toMatchObject({ code: 0, errors: '' });
  expect(sent.output).toMatch(/^accepted as [0-9A-F]{2}\/[0-9A-F]{2}-\d{5}-[0-9A-F]{8}: 250 /);
  await eventually('the message', () =>
    sink.accepted('bob@ours.test').find((message) => message.subject === 'by hand'),
  );
  const refused = await run('impetus', ['send', ...at, '--to', 'bob@other.test', '--verbose']);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('C: RCPT TO:<bob@other.test>\n');
  expect(refused.output).toContain('bob@other.test: 550 5.7.1 relaying denied');
  expect((await run('impetus', ['send', '--what'])).code).toBe(2);
  const many = await run('impetus', ['send', ...at, '--to', 'm{n}@ours.test', '--count', '200', '--size', '4k']);
  expect(many.code).toBe(0);
  expect(many.output).toMatch(/^200 accepted in .*messages\/s\nfinal reply after .*p50.*p99\)\n$/);
  await eventually('the last one', () => sink.accepted('m200@ours.test').length === 1);
});
