import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, letter, send } from './client.ts';
import { type Ended, eventually, home, run, Scratch, ServerProcess, SinkProcess } from './harness.ts';

const QUIET = 'Retry_Interval = 3600';

/** Ids in the order of `impetus spool list`. */
async function listed(server: ServerProcess, ...words: readonly string[]): Promise<readonly string[]> {
  const { code, output, errors } = await run('impetus', ['spool', 'list', '-c', server.file, ...words]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  return output.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

const check = (server: ServerProcess): Promise<Ended> => run('ec_spool_check', [join(server.directory, 'spool')]);

test('what waits in a running server is listed, shown and extracted from outside, and still there when it is stopped or killed', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port, more: QUIET });
  await send(server.port, 'ann@origin.test', ['defer@one.test', 'gone@two.test']);
  const { fields } = await server.logged('T');
  const id = fields[1] ?? '';
  await server.logged('D');

  const line = await eventually('its state in the spool', async () => {
    const { output } = await run('impetus', ['spool', 'list', '-c', server.file]);
    return / 1 \d{4}-\d\d-\d\dT/.test(output) ? output : undefined;
  });
  expect(line).toMatch(/^\S+ +\d+s +\d+ +1 \S+Z <ann@origin\.test> <defer@one\.test>\n$/);
  expect(await listed(server)).toEqual([id]);
  expect(await listed(server, '--recipient', '@two\\.test$')).toEqual([]);
  const shown = await run('ec_show', ['-m', id, '-c', server.file]);
  expect(shown.code).toBe(0);
  expect(shown.output).toMatch(/Recipient: <defer@one\.test>\n.*Retries: 1\n.*\nReceived: /s);

  const file = join(scratch.path, 'it.eml');
  expect((await run('impetus', ['spool', 'extract', '-c', server.file, id, file])).code).toBe(0);
  const kept = readFileSync(file, 'latin1');
  expect(kept).toMatch(/^Return-Path: <ann@origin\.test>\r\nReceived: from .*\r\n/);
  expect((await run('impetus', ['spool', 'extract', '-c', server.file, id])).output).toBe(kept);
  expect((await server.console('message', 'details', 'body', id)).output).toBe(kept);

  const clean = { code: 0, errors: '', output: expect.stringContaining('Total scanned: 1\nTotal ok: 1\n') };
  expect(await check(server)).toMatchObject(clean);
  await server.stop();
  expect(await listed(server)).toEqual([id]);
  expect(await check(server)).toMatchObject(clean);
  await server.restart();
  await server.kill();
  expect(await listed(server)).toEqual([id]);
  expect(await check(server)).toMatchObject(clean);
});

test('beside a server under load every look succeeds, and mail that came before it is seen', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: sink.port,
    more: `${QUIET}\nLarge_Message_Threshold = 20k`,
  });
  await send(server.port, 'ann@origin.test', ['defer-first@one.test']);
  const first = (await server.logged('T')).fields[1] ?? '';
  let over = false;
  let taken = 0;
  const load = async (worker: number): Promise<void> => {
    await using client = await Client.connect(server.port);
    for (let n = 0; !over; n++) {
      const text = letter(`number ${n}`, 'x'.repeat(n % 10 === 0 ? 50_000 : 2000));
      const said = await client.transaction(
        'ann@origin.test',
        [`${n % 20 === 0 ? 'defer' : 'm'}${worker}-${n}@dest.test`],
        text,
      );
      if (said.startsWith('250')) taken++;
    }
  };
  const loads = Array.from({ length: 8 }, (_, worker) => load(worker));
  try {
    for (let look = 0; look < 5; look++) {
      expect(await listed(server)).toContain(first);
      expect(await check(server)).toMatchObject({ code: 0, errors: '' });
    }
  } finally {
    over = true;
    await Promise.all(loads);
  }
  expect(taken).toBeGreaterThan(20);
}, 60_000);

test('damage to a stopped spool is found, with the exit codes that scripts rely on', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port, more: QUIET });
  await send(server.port, 'ann@origin.test', ['defer@one.test']);
  const id = (await server.logged('T')).fields[1] ?? '';
  await server.stop();
  const folder = join(server.directory, 'spool/L0');
  const [segment = ''] = readdirSync(folder).filter((name) => name.endsWith('.seg'));
  const path = join(folder, segment);
  const bytes = readFileSync(path);
  const at = bytes.indexOf('Received:');
  bytes[at] = 0x72;
  writeFileSync(path, bytes);
  const failed = await check(server);
  expect(failed).toMatchObject({
    code: 1,
    output: expect.stringContaining('Total ok: 0\nMeta failures: 0\nBody failures: 1\n'),
  });
  expect(failed.errors).toMatch(new RegExp(`^FAIL ${id}: `));
  // A segment cut off in its first record: nothing in it was ever acknowledged, as far as anybody can tell.
  truncateSync(path, Math.min(statSync(path).size, at));
  expect(await check(server)).toMatchObject({ code: 0, output: expect.stringContaining('Total scanned: 0\n') });
  rmSync(join(server.directory, 'spool'), { recursive: true });
  expect((await check(server)).code).toBe(2);
});

test('a long list may be cut off by its reader', async () => {
  using scratch = new Scratch();
  await using sink = await SinkProcess.start();
  await using server = await ServerProcess.start({ directory: scratch.path, sink: sink.port, more: QUIET });
  await Promise.all(Array.from({ length: 20 }, (_, n) => send(server.port, 'ann@origin.test', [`defer${n}@one.test`])));
  const child = spawn('sh', ['-c', `'${join(home, 'bin/impetus')}' spool list -c '${server.file}' | head -n 1`]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  expect(output.split('\n')).toHaveLength(2);
});
