import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, letter, send } from './client.ts';
import { eventually, home, Running, Scratch, ServerProcess, SinkProcess } from './harness.ts';

/** How many messages the crash happens among. */
const CRASH_MESSAGES = Number(process.env.CRASH_MESSAGES ?? 20_000);
const CONNECTIONS = 20;

/** Sends until all numbers are given away or the server is gone. @returns numbers that were acknowledged */
async function flood(port: number, count: number, hear: (acknowledged: number) => void): Promise<Set<number>> {
  const acknowledged = new Set<number>();
  let next = 0;
  const worker = async (): Promise<void> => {
    await using client = await Client.connect(port);
    while (next < count) {
      const number = next++;
      const said = await client.transaction(
        'ann@origin.test',
        [`m${number}@dest.test`],
        letter(`number ${number}`, 'x'.repeat(2000)),
      );
      if (said.startsWith('250')) acknowledged.add(number);
      hear(acknowledged.size);
    }
  };
  await Promise.allSettled(Array.from({ length: CONNECTIONS }, worker));
  return acknowledged;
}

const LONG = { timeout: 180_000 };

/** Floods a server, kills it in the middle, and starts it again with delivery on. @returns numbers that were acknowledged */
async function crash(server: ServerProcess): Promise<Set<number>> {
  let killed: Promise<void> | undefined;
  const acknowledged = await flood(server.port, CRASH_MESSAGES, (sum) => {
    if (sum >= CRASH_MESSAGES / 2) killed ??= server.kill();
  });
  expect(killed).toBeDefined();
  await killed;
  expect(acknowledged.size).toBeGreaterThanOrEqual(CRASH_MESSAGES / 2);
  expect(acknowledged.size).toBeLessThan(CRASH_MESSAGES);
  server.configure('');
  await server.restart();
  return acknowledged;
}

/** Waits until the sink has all of those. @returns how often each number arrived */
async function allArrive(sink: SinkProcess, acknowledged: ReadonlySet<number>): Promise<ReadonlyMap<number, number>> {
  const copies = new Map<number, number>();
  let seen = 0;
  await eventually(
    'every acknowledged message at the sink',
    () => {
      const { arrived } = sink;
      for (; seen < arrived.length; seen++) {
        const number = Number(/^m(\d+)@/.exec(arrived[seen]?.to[0] ?? '')?.[1]);
        copies.set(number, (copies.get(number) ?? 0) + 1);
      }
      return [...acknowledged].every((number) => copies.has(number));
    },
    120_000,
  );
  return copies;
}

test(
  `kill -9 in the middle of ${CRASH_MESSAGES} messages that flow: every acknowledged one arrives`,
  LONG,
  async () => {
    using scratch = new Scratch();
    await using sink = await SinkProcess.start();
    await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
    await allArrive(sink, await crash(server));
  },
);

test(
  `kill -9 in the middle of ${CRASH_MESSAGES} messages that wait: every acknowledged one arrives, once`,
  LONG,
  async () => {
    using scratch = new Scratch();
    await using sink = await SinkProcess.start();
    await using server = await ServerProcess.start({
      directory: scratch.path,
      sink: sink.port,
      more: 'Suspend_Delivery = true',
    });
    const copies = await allArrive(sink, await crash(server));
    expect([...copies].filter(([, count]) => count > 1)).toEqual([]);
  },
);

test('SIGTERM ends in order: the transaction in flight is finished, nobody new is let in, nothing is lost', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: 'Suspend_Delivery = true',
  });
  await using client = await Client.connect(server.port);
  await client.says('MAIL FROM:<ann@origin.test>');
  await client.says('RCPT TO:<bob@dest.test>');
  await client.says('DATA');
  client.write(`${letter('in flight')}\r\n`);
  const ended = server.stop();
  await eventually('no new connections', () =>
    Client.connect(server.port)
      .then((other) => other[Symbol.asyncDispose]())
      .then(
        () => false,
        () => true,
      ),
  );
  expect(await client.says('.')).toMatch(/^250 /);
  expect((await ended).code).toBe(0);

  server.configure('');
  await server.restart();
  await eventually('the message', () => sink.accepted('bob@dest.test').length === 1);
  expect((await server.stop()).code).toBe(0);
});

test('a second server on the same spool refuses to start, and the first goes on', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await using second = new Running(join(home, 'bin/impetus'), ['start', '-c', server.file]);
  const ended = await second.ended;
  expect(ended.code).not.toBe(0);
  expect(ended.errors).toContain('spool');
  await send(server.port, 'ann@origin.test', ['bob@dest.test']);
  await eventually('the message', () => sink.accepted('bob@dest.test').length === 1);
});

test('a spool that cannot be written: start says which, and ends', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  writeFileSync(join(scratch.path, 'spool'), 'a file, where a folder is needed');
  const started = ServerProcess.start({ directory: scratch.path, sink: sink.port });
  await expect(started).rejects.toThrow(join(scratch.path, 'spool'));
});

test('a full disk is answered with 452, and mail flows again when there is room', LONG, async (context) => {
  using scratch = new Scratch();
  const spool = join(scratch.path, 'spool');
  await mkdir(spool);
  const wrapper = smallDisk(spool);
  if (wrapper === undefined) return context.skip('this user may not mount a file system of its own');
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port, wrapper });
  await send(server.port, 'ann@origin.test', ['before@dest.test']);

  const filler = `/proc/${server.process.pid}/root${spool}/filler`;
  fill(filler);
  await using client = await Client.connect(server.port);
  await eventually('a refusal for want of room', async () => {
    const said = await client.transaction(
      'ann@origin.test',
      ['during@dest.test'],
      letter('during', 'x'.repeat(100_000)),
    );
    await client.says('RSET');
    return /^452 4\.3\.1/.test(said);
  });
  rmSync(filler);
  await eventually('acceptance', async () => {
    const said = await client.transaction('ann@origin.test', ['after@dest.test'], letter('after'));
    await client.says('RSET');
    return said.startsWith('250');
  });
  await eventually('the message', () => sink.accepted('after@dest.test').length > 0);
  expect(sink.accepted('before@dest.test')).toHaveLength(1);
});

/**
 * What is put before a command so that it finds a small file system at a place: in a mount namespace of its own, so nothing
 * is left behind and nothing else is filled.
 *
 * @returns undefined when the system does not allow it
 */
function smallDisk(place: string): readonly string[] | undefined {
  const mount = 'mount -t tmpfs -o size=400m tmpfs "$0" && exec "$@"';
  const wrapper = ['unshare', process.getuid?.() === 0 ? '-m' : '-rm', 'sh', '-c', mount, place];
  const [command = '', ...words] = [...wrapper, 'true'];
  return spawnSync(command, words, { stdio: 'ignore' }).status === 0 ? wrapper : undefined;
}

/** Leaves nothing free. */
function fill(path: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=1M'], { stdio: 'ignore' });
  } catch {
    // dd ends with an error when the disk is full: that is what it was for.
  }
}
