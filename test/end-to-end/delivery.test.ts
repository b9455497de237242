import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, letter, send } from './client.ts';
import { eventually, Scratch, ServerProcess, SinkProcess } from './harness.ts';

test('a message is accepted, logged as received, delivered and logged as delivered, in that order', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  const batch = await send(
    server.port,
    'ann@origin.test',
    ['bob@dest.test'],
    letter('first', '.a line with a dot\r\n..two\r\n'),
  );
  const [arrived] = await eventually(
    'the message at the sink',
    () => sink.accepted('bob@dest.test').length > 0 && sink.accepted('bob@dest.test'),
  );
  expect(arrived).toMatchObject({ from: 'ann@origin.test', subject: 'first' });

  const delivered = await server.logged('D');
  const lines = await server.mainlog();
  expect(lines.map((line) => line.kind)).toEqual(['R', 'D']);
  const received = lines[0]?.fields ?? [];
  expect(received[2]).toBe(batch);
  expect(received.slice(5, 10)).toEqual(['bob', 'dest.test', 'ann', 'origin.test', '127.0.0.1']);
  expect(received[11]).toBe('esmtp');
  expect(delivered.fields[1]).toBe(received[1]);
  expect(delivered.fields[9]).toBe('0');
});

test('each recipient of one transaction is delivered and logged', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  const recipients = ['a@one.test', 'b@one.test', 'c@two.test'];
  await send(server.port, 'ann@origin.test', recipients);
  await eventually(
    'all of them',
    async () => (await server.mainlog()).filter((line) => line.kind === 'D').length === 3,
  );
  for (const recipient of recipients) expect(sink.accepted(recipient)).toHaveLength(1);
});

test('the text arrives byte for byte, behind the trace header', async () => {
  using scratch = new Scratch();
  const kept = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', kept);
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  const text = letter('bytes', ['.', '..', '.x', '\xff\xfe 8-bit \xe4', 'x'.repeat(990), '', 'end'].join('\r\n'));
  await send(server.port, 'ann@origin.test', ['bob@dest.test'], text);
  const [name] = await eventually('a kept message', async () => {
    const names = await readdir(join(kept, 'new')).catch(() => []);
    return names.length > 0 && names;
  });
  const whole = (await readFile(join(kept, 'new', name ?? ''))).toString('latin1');
  expect(whole.endsWith(`${text}\r\n`)).toBe(true);
  expect(whole).toMatch(/\r\nReceived: from \[127\.0\.0\.1\] \(/);
});

test('a recipient that is deferred is retried and delivered', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Retry_Interval = 1',
  });
  await send(server.port, 'ann@origin.test', ['grey-500ms@dest.test']);
  const delivered = await server.logged('D');
  const deferred = (await server.mainlog()).filter((line) => line.kind === 'T');
  expect(deferred).not.toHaveLength(0);
  expect(deferred[0]?.fields[13]).toBe('450 4.7.1 greylisted, try again later');
  expect(deferred[0]?.fields[9]).toBe('5');
  expect(Number(delivered.fields[9])).toBe(deferred.length);
  expect(sink.accepted('grey-500ms@dest.test')).toHaveLength(1);
});

test('a recipient that is refused is bounced to the sender, and the bounce has no sender', async () => {
  using scratch = new Scratch();
  const kept = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', kept);
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await send(server.port, 'ann@origin.test', ['refuse@dest.test', 'bob@dest.test']);
  const [bounce] = await eventually(
    'the bounce',
    () => sink.accepted('ann@origin.test').length > 0 && sink.accepted('ann@origin.test'),
  );
  expect(bounce?.from).toBe('');
  const failed = await server.logged('P');
  expect(failed.fields[13]).toBe('550 5.1.1 no such mailbox here');
  expect(sink.accepted('bob@dest.test')).toHaveLength(1);

  const texts = await Promise.all(
    (await readdir(join(kept, 'new'))).map((name) => readFile(join(kept, 'new', name), 'latin1')),
  );
  const dsn = texts.find((text) => text.includes('Delivered-To: ann@origin.test')) ?? '';
  expect(dsn).toMatch(/^Content-Type: multipart\/report;/im);
  expect(dsn).toMatch(/^Final-Recipient: rfc822; ?refuse@dest\.test\r$/im);
  expect(dsn).toMatch(/^Status: 5\.1\.1\r$/im);
  expect(dsn).toMatch(/^Action: failed\r$/im);
  await eventually('a line of the bouncelog', async () =>
    (await server.log('bouncelog')).includes('@refuse@dest.test@ann@origin.test@'),
  );
});

test('a bounce that is refused is not bounced again', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await send(server.port, 'refuse-me@origin.test', ['refuse@dest.test']);
  const failed = await eventually('both failures', async () => {
    const lines = (await server.mainlog()).filter((line) => line.kind === 'P');
    return lines.length === 2 && lines;
  });
  expect(failed).toHaveLength(2);
  expect((await server.mainlog()).filter((line) => line.kind === 'R')).toHaveLength(2);
  expect((await server.console('mailq')).code).toBe(0);
});

test('a message that cannot be delivered in its time is bounced', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Retry_Interval = 1\nMessage_Expiration = 2',
  });
  await send(server.port, 'ann@origin.test', ['defer@dest.test']);
  await eventually('the bounce', () => sink.accepted('ann@origin.test').length > 0);
  const failed = await server.logged('P');
  expect(failed.fields[13]).toBe('554 5.4.7 [internal] exceeded max time without delivery');
  expect((await server.mainlog()).some((line) => line.kind === 'T')).toBe(true);
});

test('a peer that hangs up in the middle of the text or after it is tried again', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Retry_Interval = 1\nMessage_Expiration = 2',
  });
  for (const recipient of ['drop-rcpt@dest.test', 'drop-data@dest.test', 'drop-dot@dest.test']) {
    await send(server.port, '', [recipient]);
  }
  await send(server.port, 'ann@origin.test', ['bob@dest.test']);
  await eventually(
    'three failures',
    async () => (await server.mainlog()).filter((line) => line.kind === 'P').length === 3,
  );
  const deferred = (await server.mainlog()).filter((line) => line.kind === 'T');
  expect(deferred.length).toBeGreaterThanOrEqual(3);
  expect(sink.accepted('bob@dest.test')).toHaveLength(1);
});

test('what a stranger may not do is refused, and the session goes on', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Relay_Hosts = ( )\nRelay_Domains = ( "ours.test" )',
  });
  await using client = await Client.connect(server.port);
  expect(await client.says('MAIL FROM:<ann@origin.test>')).toMatch(/^250 /);
  expect(await client.says('RCPT TO:<bob@dest.test>')).toMatch(/^550 5\.7\.1 relaying denied/);
  expect(await client.says('RCPT TO:<bob@ours.test>')).toMatch(/^250 /);
  await eventually('a line of the rejectlog', async () => (await server.log('rejectlog')).includes('E=550'));
});
