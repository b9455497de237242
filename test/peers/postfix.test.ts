import { expect, test } from 'vitest';
import { send } from '../end-to-end/client.ts';
import { eventually, Running, Scratch, ServerProcess, SinkProcess } from '../end-to-end/harness.ts';
import { need, SmtpSink } from './peers.ts';

const MOST = { timeout: 360_000 };

test(
  'smtp-source to smtp-sink: 2,000 messages of 10 KB over 20 sessions, none lost, none twice',
  MOST,
  async (context) => {
    const source = need(context, 'smtp-source');
    using scratch = new Scratch();
    await using sink = await SmtpSink.start(need(context, 'smtp-sink'));
    await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
    await using sending = new Running(source, [
      '-d',
      '-s',
      '20',
      '-l',
      '10240',
      '-m',
      '2000',
      '-f',
      'a@src.test',
      '-t',
      'b@dst.test',
      `127.0.0.1:${server.port}`,
    ]);
    expect(await sending.ended).toMatchObject({ code: 0, errors: '' });
    await eventually(
      '2,000 lines of delivery',
      async () => (await server.mainlog()).filter((line) => line.kind === 'D').length === 2000,
      60_000,
    );
    await eventually('2,000 messages', () => sink.messages === 2000);
    expect((await server.mainlog()).filter((line) => line.kind === 'R')).toHaveLength(2000);
  },
);

test('smtp-source with a connection for each message and several recipients', MOST, async (context) => {
  const source = need(context, 'smtp-source');
  using scratch = new Scratch();
  await using sink = await SmtpSink.start(need(context, 'smtp-sink'));
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await using sending = new Running(source, [
    '-s',
    '10',
    '-l',
    '1024',
    '-m',
    '200',
    '-r',
    '3',
    '-f',
    'a@src.test',
    '-t',
    'b@dst.test',
    `127.0.0.1:${server.port}`,
  ]);
  expect(await sending.ended).toMatchObject({ code: 0, errors: '' });
  await eventually(
    '600 lines of delivery',
    async () => (await server.mainlog()).filter((line) => line.kind === 'D').length === 600,
    60_000,
  );
});

test.for([['-e'], ['-p'], ['-8'], ['-E'], ['-h', 'old.test'], ['-w', '1']])(
  'smtp-sink %s: the message is delivered',
  MOST,
  async (options, context) => {
    const program = need(context, 'smtp-sink');
    using scratch = new Scratch();
    await using sink = await SmtpSink.start(program, ...options);
    await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
    await send(server.port, 'ann@origin.test', ['bob@dest.test']);
    await server.logged('D');
    await eventually('the message', () => sink.messages === 1);
  },
);

test.for(['mail', 'rcpt', 'data', '.'])(
  'smtp-sink refuses %s: the message fails, and its bounce too, which is the end of it',
  MOST,
  async (command, context) => {
    const program = need(context, 'smtp-sink');
    using scratch = new Scratch();
    await using sink = await SmtpSink.start(program, '-f', command);
    await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
    await send(server.port, 'ann@origin.test', ['bob@dest.test']);
    const failed = await eventually('message and bounce failed', async () => {
      const lines = (await server.mainlog()).filter((line) => line.kind === 'P');
      return lines.length === 2 && lines;
    });
    for (const line of failed) expect(line.fields[13]).toMatch(/^5\d\d /);
  },
);

test.for([
  ['-r', 'mail'],
  ['-r', 'rcpt'],
  ['-r', 'data'],
  ['-r', '.'],
  ['-q', 'ehlo'],
  ['-q', 'data'],
  ['-q', '.'],
  ['-Q', 'rcpt'],
])('smtp-sink %s %s: the message waits', MOST, async (options, context) => {
  const program = need(context, 'smtp-sink');
  using scratch = new Scratch();
  await using sink = await SmtpSink.start(program, ...options);
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await send(server.port, 'ann@origin.test', ['bob@dest.test']);
  expect((await server.logged('T')).fields[13]).toMatch(/^4\d\d /);
  expect((await server.mainlog()).some((line) => line.kind === 'P')).toBe(false);
});

test('smtp-source straight into our sink: each message is counted', MOST, async (context) => {
  const source = need(context, 'smtp-source');
  await using sink = await SinkProcess.start();
  await using sending = new Running(source, [
    '-s',
    '10',
    '-l',
    '10240',
    '-m',
    '500',
    '-f',
    'a@src.test',
    '-t',
    'b@dst.test',
    `127.0.0.1:${sink.port}`,
  ]);
  expect(await sending.ended).toMatchObject({ code: 0, errors: '' });
  await eventually('500 messages', () => sink.accepted('b@dst.test').length === 500);
});
