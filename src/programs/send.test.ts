import { describe, expect, test } from 'vitest';
import { type Sink, type SinkSettings, sink } from '../sink/index.ts';
import { type SimProcess, type SimWorld, simProcess, simWorld } from '../world/sim/index.ts';
import { sendProgram } from './send.ts';

const AT = { kind: 'tcp', ip: '127.0.0.1', port: 2525 } as const;

/** A sink where `impetus send` looks for its server. */
async function there(
  settings: Partial<SinkSettings> = {},
): Promise<{ readonly world: SimWorld; readonly server: Sink }> {
  const world = simWorld();
  const server = sink(world, settings);
  await world.clock.until(server.listen(AT));
  return { world, server };
}

async function run(
  world: SimWorld,
  words: readonly string[],
  process: SimProcess = simProcess(),
): Promise<{ code: number; said: string; complained: string }> {
  const code = await world.clock.until(sendProgram(world, process, words));
  return { code, said: process.said, complained: process.complained };
}

describe('impetus send', () => {
  test('without words sends one message to 127.0.0.1:2525, and shows the reply', async () => {
    const { world, server } = await there();
    expect(await run(world, [])).toEqual({ code: 0, said: 'accepted: 250 2.0.0 taken\n', complained: '' });
    const [taken] = server.recent();
    expect(taken).toMatchObject({ reversePath: 'sender@impetus.test', recipients: ['accept@impetus.test'] });
    expect(Buffer.from(taken?.header ?? []).toString()).toContain('Subject: A test from impetus send\r\n');
  });

  test('sends what it is told, from whom, to whom', async () => {
    const { world, server } = await there({ keep: '/kept' });
    world.disk.put('/message.eml', 'Subject: whole\nX-Mine: yes\n\n.dot\n');
    const words = ['--from', '<>', '--to', 'a@one.test', 'b@two.test', '--to', 'c@two.test', '--file', '/message.eml'];
    expect(await run(world, words)).toMatchObject({ code: 0, complained: '' });
    expect(server.recent()[0]).toMatchObject({
      reversePath: '',
      recipients: ['a@one.test', 'b@two.test', 'c@two.test'],
    });
    const [kept] = world.disk.files().filter((path) => path.startsWith('/kept/new/'));
    expect(world.disk.text(kept ?? '')).toMatch(/\r\nSubject: whole\r\nX-Mine: yes\r\n\r\n\.dot\r\n$/);
  });

  test('reads a text from standard input', async () => {
    const { world, server } = await there();
    const { code } = await run(
      world,
      ['--file', '-', '--subject', 'Gr\u00fc\u00dfe'],
      simProcess({ input: 'hello\n' }),
    );
    expect(code).toBe(0);
    expect(Buffer.from(server.recent()[0]?.header ?? []).toString()).toContain('Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n');
  });

  test('a size beyond what it can make is refused in words', async () => {
    const { code, complained } = await run(simWorld(), ['--size', '600M']);
    expect(code).toBe(2);
    expect(complained).toContain('A whole number from 0 to 524288000 is wanted.');
  });

  test('says who was refused, and exits with 1', async () => {
    const { world } = await there();
    expect(await run(world, ['--to', 'refuse@a.test', 'ok@a.test'])).toEqual({
      code: 1,
      said: 'refuse@a.test: 550 5.1.1 no such mailbox here\naccepted for 1 of 2 recipients: 250 2.0.0 taken\n',
      complained: '',
    });
    expect((await run(world, ['--to', 'defer-dot@a.test'])).said).toBe(
      'the message: 450 4.2.1 mailbox temporarily unavailable\n',
    );
  });

  test('shows the dialogue when asked', async () => {
    const { world } = await there();
    const { said } = await run(world, ['--verbose', '--body', 'hi']);
    expect(said.split('\n')[0]).toBe('S: 220 sink.impetus.test ESMTP Impetus sink');
    expect(said).toContain('C: RCPT TO:<accept@impetus.test>\n');
    expect(said).toMatch(/S: 221 2\.0\.0 bye\n$/);
  });

  test('says why when nobody answers, or somebody hangs up', async () => {
    const world = simWorld();
    const nobody = await run(world, []);
    expect(nobody.code).toBe(1);
    expect(nobody.complained).toMatch(/^impetus send: 127\.0\.0\.1:2525: .+\n$/);
    const { world: other } = await there();
    const dropped = await run(other, ['--to', 'drop-dot@a.test']);
    expect(dropped).toMatchObject({ code: 1, said: '' });
    expect(dropped.complained).toMatch(/^impetus send: 127\.0\.0\.1:2525: /);
  });

  test('many messages go over several sessions, each with its number, and end with a summary', async () => {
    const { world, server } = await there({ recent: 500 });
    const { code, said } = await run(world, [
      '--count',
      '200',
      '--to',
      'r{n}@a.test',
      '--size',
      '2k',
      '--sessions',
      '7',
    ]);
    expect(code).toBe(0);
    expect(said).toMatch(
      /^200 accepted in [0-9.]+ m?s: [0-9,]+ messages\/s\nfinal reply after [0-9.]+ ms \(p50\), [0-9.]+ ms \(p99\)\n$/,
    );
    expect(server.counters).toMatchObject({ messages: 200, sessions: 7 });
    expect(new Set(server.recent().flatMap((taken) => taken.recipients)).size).toBe(200);
  });

  test('many messages of which some are refused end with 1, and a server that hangs up is called again', async () => {
    const { world, server } = await there();
    const { code, said } = await run(world, ['--count', '30', '--to', 'defer-421@a.test', '--sessions', '2']);
    expect(code).toBe(1);
    expect(said).toMatch(/^0 accepted in .*\n30 refused\n$/);
    expect(server.counters.sessions).toBe(30);
  });

  test('a server that is not there is called twenty times, not for ever', async () => {
    const { code, said, complained } = await run(simWorld(), ['--count', '100000', '--sessions', '3']);
    expect(code).toBe(1);
    expect(said).toContain('100,000 not sent');
    expect(complained).toMatch(/^impetus send: 127\.0\.0\.1:2525: /);
  });

  test('on a terminal a line shows how far it is', async () => {
    const { world } = await there();
    const { said } = await run(
      world,
      ['--count', '40', '--sessions', '4', '--to', 'slow-200ms-dot@a.test'],
      simProcess({ isTerminal: true }),
    );
    expect(said).toMatch(/\r\d+ of 40 \(\d+ %\), \d+ messages\/s, \d+ s left\x1b\[K/);
    expect(said).toMatch(/\r\x1b\[K40 accepted in /);
  });

  test('SIGINT ends a batch after the messages in flight', async () => {
    const { world, server } = await there();
    const process = simProcess();
    const running = sendProgram(world, process, ['--count', '1000', '--sessions', '1', '--to', 'slow-1s-dot@a.test']);
    await world.clock.advance(2500);
    process.signal('SIGINT');
    expect(await world.clock.until(running)).toBe(1);
    expect(server.counters.messages).toBe(3);
    expect(process.said).toContain('997 not sent');
  });

  test.each([
    [['--what'], /unknown option '--what'/],
    [['extra'], /too many arguments/],
    [['--server', 'mail.example:25'], /host names are not accepted/],
    [['--server', '127.0.0.1'], /missing port/],
    [['--count', '0'], /from 1 to/],
    [['--to', 'a@b\r\nRSET'], /no mail address/],
    [['--to', 'gr\u00fc\u00dfe@b.test'], /SMTPUTF8/],
    [['--body', 'x', '--size', '10'], /exclude each other/],
    [['--file', '/none'], /cannot read \/none/],
  ])('%j is a usage error', async (words, why) => {
    const { world } = await there();
    const { code, complained } = await run(world, words);
    expect(code).toBe(2);
    expect(complained).toMatch(why);
  });

  test('--help explains, and is no error', async () => {
    const { code, said } = await run(simWorld(), ['--help']);
    expect(code).toBe(0);
    expect(said).toContain('--sessions');
  });
});
