import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { eventually, freePort, home, Running, Scratch } from './harness.ts';

const CLIENTS = 8;
const MILLIS = 500;
/** The machine may have other things to do. */
const LONGEST = 20_000;
const MOST = 100_000;
/** What the process may grow by, in MiB: a flood that were kept would be several times as much. */
const GROWTH = 400;

interface Flood {
  /** Sent first. */
  readonly head: string;
  /** Sent again and again, as fast as it is taken; undefined: nothing more. */
  readonly again?: Uint8Array;
  readonly reads: boolean;
  /** What its first answer says, if it may have one. */
  readonly status?: string;
}

const post = (fields: string): string =>
  `POST /api/v1/transmissions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${fields}\r\n\r\n`;

const floods = (key: string): Readonly<Record<string, Flood>> => {
  const auth = `Authorization: ${key}\r\n`;
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 0x5b), Buffer.from('\r\n')]);
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  return {
    'bodies without end, without a key': {
      head: post('Transfer-Encoding: chunked'),
      again: chunk,
      reads: true,
      status: '401',
    },
    'bodies without end': { head: post(`${auth}Transfer-Encoding: chunked`), again: chunk, reads: true, status: '413' },
    'bodies of 300 MiB and a byte': {
      head: post(`${auth}Content-Length: ${300 * 2 ** 20 + 1}`),
      again: Buffer.alloc(65_536),
      reads: true,
      status: '413',
    },
    'bodies of 300 MiB and a byte, asked for before': {
      head: post(`${auth}Expect: 100-continue\r\nContent-Length: ${300 * 2 ** 20 + 1}`),
      reads: true,
      status: '413',
    },
    bombs: {
      head: post(`${auth}Content-Encoding: gzip\r\nContent-Length: ${bomb.length}`),
      again: bomb,
      reads: true,
      status: '413',
    },
    'brackets in each other': {
      head: `${post(`${auth}Content-Length: ${MOST}`)}${'['.repeat(MOST)}`,
      reads: true,
      status: '422',
    },
    'requests whose answers nobody reads': {
      head: '',
      again: Buffer.from('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1500)),
      reads: false,
    },
    'fields without end': {
      head: 'GET / HTTP/1.1\r\nHost: a\r\n',
      again: Buffer.from('a:b\r\n'.repeat(2000)),
      reads: true,
      status: '431',
    },
    'a target without end': { head: 'GET /', again: Buffer.alloc(10_000, 0x61), reads: true, status: '431' },
    'headers that are never whole': { head: 'GET / HTTP/1.1\r\nHost: a\r\nX: ', reads: true },
    noise: {
      head: '',
      again: Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7919) % 256)),
      reads: true,
      status: '400',
    },
    'nothing at all': { head: '', reads: true },
  };
};

/** One client of a flood: it pours until it has had its answer, and a while longer. @returns the status of that answer */
function flooding(port: number, { head, again, reads, status }: Flood): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    const pour = (): void => {
      while (again !== undefined && !socket.destroyed && socket.write(again));
    };
    const ends = (millis: number): NodeJS.Timeout => setTimeout(() => socket.destroy(), millis);
    let end = ends(status === undefined ? MILLIS : LONGEST);
    socket.on('error', () => undefined).on('drain', pour);
    if (reads)
      socket.on('data', (bytes) => {
        if (heard !== '') return;
        heard = bytes.toString('latin1');
        clearTimeout(end);
        end = ends(MILLIS);
      });
    socket.on('connect', () => {
      socket.write(head);
      pour();
    });
    socket.on('close', () => {
      clearTimeout(end);
      resolve(/^HTTP\/1\.1 (\d{3}) /.exec(heard)?.[1]);
    });
  });
}

test('a flood of HTTP of each kind leaves the server serving, small, and its log quiet', {
  timeout: 120_000,
}, async () => {
  using scratch = new Scratch();
  const port = await freePort();
  const file = join(scratch.path, 'impetus.conf');
  writeFileSync(
    file,
    `Spoolbase = "${scratch.path}/spool"
API_Key_File = "${scratch.path}/keys.json"
API_Store_File = "${scratch.path}/api.db"
Control_Listener { Listen "${scratch.path}/c" { } }
HTTP_Listener { Max_Request_Size = ${MOST} Listen "127.0.0.1:${port}" { } }
ec_logger { mainlog = "${scratch.path}/m" rejectlog = "${scratch.path}/r" paniclog = "${scratch.path}/p" acctlog = "${scratch.path}/a" }
`,
  );
  const program = join(home, 'bin/impetus');
  const key = execFileSync(program, ['apikey', 'create', '--label', 'flood', '-c', file]).toString().trim();
  await using server = new Running(program, ['start', '-c', file]);
  await eventually('a server that is ready', () => server.output.includes('is ready'));
  const resident = (): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  const before = resident();
  for (const [what, flood] of Object.entries(floods(key))) {
    const all = Promise.all(Array.from({ length: CLIENTS }, () => flooding(port, flood)));
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    const statuses = new Set(await all);
    expect([what, health.status, [...statuses]]).toEqual([what, 200, [flood.status]]);
    expect(resident() - before, what).toBeLessThan(GROWTH);
  }
  // No order of them was taken, not even in part.
  const { results } = (await (
    await fetch(`http://127.0.0.1:${port}/api/v1/transmissions`, { headers: { authorization: key } })
  ).json()) as { results: unknown };
  expect(results).toEqual([]);
  const lines = readFileSync(join(scratch.path, 'p'), 'utf8').split('\n');
  expect(lines.filter((line) => /CRITICAL|ERROR|failed/.test(line))).toEqual([]);
  server.signal('SIGTERM');
  expect((await server.ended).code).toBe(0);
});
