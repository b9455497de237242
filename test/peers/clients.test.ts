import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { need } from './peers.ts';

const MOST = { timeout: 360_000 };

/** The one message that a sink has kept in a folder. */
async function kept(directory: string): Promise<string> {
  const [name] = await eventually('a kept message', async () => {
    const names = await readdir(join(directory, 'new')).catch(() => []);
    return names.length > 0 && names;
  });
  return readFile(join(directory, 'new', name ?? ''), 'latin1');
}

test('swaks: the message is accepted, seen in the sink and in the mainlog', MOST, async (context) => {
  const swaks = need(context, 'swaks');
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await using sending = new Running(swaks, [
    '--server',
    `127.0.0.1:${server.port}`,
    '--from',
    'ann@origin.test',
    '--to',
    'bob@dest.test,carl@dest.test',
    '--header',
    'Subject: swaks',
    '--pipeline',
  ]);
  const ended = await sending.ended;
  expect(ended.output + ended.errors).toMatch(/<- +250 2\.0\.0 OK/);
  expect(ended.code).toBe(0);
  for (const path of ['bob@dest.test', 'carl@dest.test']) {
    const [arrived] = await eventually(path, () => sink.accepted(path).length > 0 && sink.accepted(path));
    expect(arrived).toMatchObject({ from: 'ann@origin.test', subject: 'swaks' });
  }
  await eventually(
    'two deliveries',
    async () => (await server.mainlog()).filter((line) => line.kind === 'D').length === 2,
  );
});

test('swaks: a refused recipient is an error of its own', MOST, async (context) => {
  const swaks = need(context, 'swaks');
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Relay_Hosts = ( )',
  });
  await using sending = new Running(swaks, [
    '--server',
    `127.0.0.1:${server.port}`,
    '--from',
    'ann@origin.test',
    '--to',
    'bob@dest.test',
  ]);
  const ended = await sending.ended;
  expect(ended.output).toContain('550 5.7.1 relaying denied');
  expect(ended.code).toBe(24);
});

const SMTPLIB = `
import smtplib, sys
port, path = int(sys.argv[1]), sys.argv[2]
with smtplib.SMTP('127.0.0.1', port, local_hostname='python.test') as client:
    client.ehlo()
    assert client.has_extn('8bitmime') and client.has_extn('pipelining') and client.has_extn('size'), client.esmtp_features
    refused = client.sendmail('ann@origin.test', ['bob@dest.test'], open(path, 'rb').read(), mail_options=['BODY=8BITMIME'])
    assert refused == {}, refused
    assert client.noop()[0] == 250
    assert client.rset()[0] == 250
`;

test("Python's smtplib: 8-bit text, dots and long lines arrive byte for byte", MOST, async (context) => {
  const python = need(context, 'python3');
  using scratch = new Scratch();
  const directory = join(scratch.path, 'kept');
  await using sink = await SinkProcess.start('--keep', directory);
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'ESMTP_Listener { Max_Message_Size = 1000000 }',
  });
  const text = [
    'Date: Tue, 03 Mar 2026 10:00:00 +0000',
    'From: <ann@origin.test>',
    'To: <bob@dest.test>',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'Message-ID: <1@python.test>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Gr\xc3\xbc\xc3\x9fe',
    '.',
    '..',
    '.dot',
    'From here',
    '\xff\xfe',
    'x'.repeat(998),
    '',
    '.',
    '',
  ].join('\r\n');
  const file = join(scratch.path, 'message.eml');
  await writeFile(file, text, 'latin1');
  await using sending = new Running(python, ['-c', SMTPLIB, String(server.port), file]);
  expect(await sending.ended).toMatchObject({ code: 0, errors: '' });
  const whole = await kept(directory);
  expect(whole.slice(whole.indexOf('Date: '))).toBe(text);
});
