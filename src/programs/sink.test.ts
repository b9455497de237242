import { expect, test } from 'vitest';
import { bytes, End } from '../../test/support/tls-ground.ts';
import { type SimProcess, type SimWorld, simProcess, simWorld } from '../world/sim/index.ts';
import { sendProgram } from './send.ts';
import { sinkProgram } from './sink.ts';

/** Runs while a test does something with it, then is told to end. */
async function running(
  words: readonly string[],
  use: (world: SimWorld, process: SimProcess) => Promise<void>,
  terminal = false,
): Promise<{ code: number; said: string }> {
  const world = simWorld();
  world.disk.put('/sink.rules', '# ours\nfull.test = defer 452 4.2.2 over quota\n');
  const process = simProcess({ isTerminal: terminal });
  const ended = sinkProgram(world, process, words);
  await world.clock.settle();
  await use(world, process);
  process.signal('SIGTERM');
  return { code: await world.clock.until(ended), said: process.said };
}

const send = (world: SimWorld, ...words: readonly string[]): Promise<number> =>
  world.clock.until(sendProgram(world, simProcess(), ['--server', '127.0.0.1:2526', ...words]));

test('listens on 127.0.0.1:2526, and says at the end what came', async () => {
  const { code, said } = await running([], async (world) => {
    expect(await send(world, '--to', 'a@one.test', 'refuse@two.test')).toBe(1);
  });
  expect(code).toBe(0);
  expect(said).toMatch(
    /^impetus sink: listening on 127\.0\.0\.1:2526\n1 messages, 0\.0 MB; recipients: 1 accepted, 0 deferred, 1 refused, 0 dropped; 0 of 1 sessions open\n/,
  );
  expect(said).toContain('  one.test: 1 accepted, 0 deferred, 0 refused, 0 dropped\n');
});

test('takes rules from words and from a file, and logs a line for each message', async () => {
  const { said } = await running(
    ['--log', '--rule', 'x@*=refuse', '--rules', '/sink.rules', '--listen', '127.0.0.1:2526', '127.0.0.1:2527'],
    async (world) => {
      expect(await send(world, '--to', 'x@one.test', 'y@full.test', 'z@one.test', '--subject', 'three')).toBe(1);
    },
  );
  expect(said).toContain('listening on 127.0.0.1:2527\n');
  const lines = said.split('\n').filter((line) => line.startsWith('2026-'));
  expect(lines.map((line) => line.slice(line.indexOf(' ') + 1).replace(/bytes=\d+/, ''))).toEqual([
    'refused from=<sender@impetus.test> to=<x@one.test>  reply="550 5.1.1 no such mailbox here" subject=""',
    'deferred from=<sender@impetus.test> to=<y@full.test>  reply="452 4.2.2 over quota" subject=""',
    'accepted from=<sender@impetus.test> to=<z@one.test>  reply="250 2.0.0 taken" subject="three"',
  ]);
});

test('shows a live line on a terminal, and plain lines elsewhere', async () => {
  const live = await running(
    [],
    async (world) => {
      await send(world);
      await world.clock.advance(1000);
    },
    true,
  );
  expect(live.said).toMatch(/\r1 messages, 0\.0 MB, \d+ messages\/s; recipients: 1 accepted.*\x1b\[K/);
  const plain = await running([], async (world) => {
    await send(world);
    await world.clock.advance(180_000);
  });
  expect(plain.said.split('\n').filter((line) => line.includes('messages/s'))).toHaveLength(1);
  expect(plain.said).not.toContain('\r');
});

test('SIGUSR2 shows domains and the last messages', async () => {
  const { said } = await running([], async (world, process) => {
    await send(world, '--to', 'a@one.test', '--subject', 'seen');
    process.signal('SIGUSR2');
    await world.clock.settle();
    expect(process.said).toContain('#1 from=<sender@impetus.test> to=<a@one.test> bytes=');
  });
  expect(said).toContain('    Subject: seen\n');
});

test('keeps whole messages in a folder', async () => {
  await running(['--keep', '/kept'], async (world) => {
    expect(await send(world)).toBe(0);
    expect(world.disk.files().filter((path) => path.startsWith('/kept/new/'))).toHaveLength(1);
  });
});

test('an address in use ends it with 1', async () => {
  await running([], async (world) => {
    const second = simProcess();
    expect(await world.clock.until(sinkProgram(world, second, []))).toBe(1);
    expect(second.complained).toMatch(/^impetus sink: .*in use/);
  });
});

test.each([
  [['--rule', 'x=explode'], /"explode" is none of/],
  [['--rules', '/none'], /cannot read \/none/],
  [['--listen', 'here'], /missing port/],
  [['--max-size', 'big'], /whole number/],
  [['now'], /too many arguments/],
])('%j is a usage error', async (words, why) => {
  const world = simWorld();
  const process = simProcess();
  expect(await world.clock.until(sinkProgram(world, process, words))).toBe(2);
  expect(process.complained).toMatch(why);
});

test('--help tells what recipients mean', async () => {
  const process = simProcess();
  expect(await sinkProgram(simWorld(), process, ['--help'])).toBe(0);
  expect(process.said).toMatch(/grey….*450 until/);
});

test.each<[string, readonly string[], string]>([
  ['a key without a certificate', ['--key', '/k'], '--key wants a --certificate'],
  ['a file that is not there', ['--certificate', '/none'], 'cannot read /none'],
  ['a file that is no certificate', ['--certificate', '/sink.rules'], '/sink.rules cannot be used: no start line'],
])('%s is said to be so', async (_, words, said) => {
  const world = simWorld();
  world.disk.put('/sink.rules', 'garbage');
  const process = simProcess();
  expect(await world.clock.until(sinkProgram(world, process, words))).toBe(2);
  expect(process.complained).toContain(said);
});

test('offers STARTTLS with a certificate of its own making, or a given one', async () => {
  for (const words of [['--tls'], ['--certificate', '/me.pem'], ['--certificate', '/me.crt', '--key', '/me.key']]) {
    const world = simWorld();
    const identity = world.tls.selfSigned('me.test');
    world.disk.put('/me.crt', Buffer.from(identity.chain).toString());
    world.disk.put('/me.key', Buffer.from(identity.key).toString());
    world.disk.put('/me.pem', Buffer.concat([identity.chain, identity.key]).toString());
    const process = simProcess();
    const ended = sinkProgram(world, process, words);
    await world.clock.settle();
    const client = new End();
    const pipe = world.network.connect({ kind: 'tcp', ip: '127.0.0.1', port: 2526 }, undefined, client);
    await world.clock.advance(20);
    pipe.write(bytes('EHLO me\r\n'));
    await world.clock.advance(20);
    expect(client.text).toContain('STARTTLS');
    process.signal('SIGTERM');
    expect(await world.clock.until(ended)).toBe(0);
  }
});
