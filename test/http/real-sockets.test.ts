import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, freePort, home, Running, run, Scratch } from '../end-to-end/harness.ts';

/** bin/impetus with an HTTP_Listener on TCP and on a Unix socket, asked by fetch, by curl and by hand. */
const scratch = new Scratch();
let server: Running;
let port = 0;

beforeAll(async () => {
  port = await freePort();
  const file = join(scratch.path, 'impetus.conf');
  writeFileSync(
    file,
    `Spoolbase = "${scratch.path}/spool"
API_Key_File = "${scratch.path}/keys.json"
Control_Listener { Listen "${scratch.path}/c" { } }
HTTP_Listener {
  Listen "127.0.0.1:${port}" { Log_Requests_to_Paniclog = true }
  Listen "${scratch.path}/http" { File_Mode = 0600 }
}
http_logger { log = "file://${scratch.path}/httplog" }
ec_logger { mainlog = "${scratch.path}/m" rejectlog = "${scratch.path}/r" paniclog = "${scratch.path}/p" acctlog = "${scratch.path}/a" }
`,
  );
  server = new Running(join(home, 'bin/impetus'), ['start', '-c', file]);
  await eventually('a server that is ready', () => {
    if (server.over) throw new Error(server.errors);
    return server.output.includes('is ready');
  });
});

afterAll(async () => {
  server.signal('SIGTERM');
  expect((await server.ended).code).toBe(0);
  scratch[Symbol.dispose]();
});

const at = (path: string): string => `http://127.0.0.1:${port}${path}`;

test('fetch: many requests at once over connections that are kept', async () => {
  const statuses = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => (await fetch(at(n % 2 === 0 ? '/health' : '/nothing'))).status),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(100);
  expect(statuses.filter((status) => status === 404)).toHaveLength(100);
});

test('fetch: a large document comes whole, compressed on the way', async () => {
  const response = await fetch(at('/openapi.json'));
  expect(response.headers.get('content-encoding')).toBe('gzip');
  expect(await response.json()).toMatchObject({ openapi: '3.1.0' });
});

test('curl over the Unix socket', () => {
  const said = execFileSync('curl', ['-s', '--unix-socket', join(scratch.path, 'http'), 'http://mx/ready']).toString();
  expect(JSON.parse(said)).toEqual({ status: 'ready' });
});

test('curl: half a gigabyte that nobody asked for is cut off early, and the answer is read', async () => {
  const shell = promisify(execFile);
  const script = `head -c 500000000 /dev/zero | curl -s -o - -w '%{http_code} %{size_upload}' -X DELETE -T - -H 'Content-Type: application/json' '${at('/stats/summary')}'`;
  const { stdout } = await shell('sh', ['-c', script]);
  const [, status = '', sent = ''] = /\}(\d{3}) (\d+)$/.exec(stdout) ?? [];
  expect(status).toBe('413');
  expect(Number(sent)).toBeLessThan(100_000_000);
  expect((await fetch(at('/ready'))).status).toBe(200);
});

test('a bomb of zeros does not grow', async () => {
  const response = await fetch(at('/stats/summary'), {
    method: 'DELETE',
    headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
    body: gzipSync(Buffer.alloc(100_000_000)).subarray(0, 1000),
  });
  expect(response.status).toBe(413);
});

test('by hand: pipelined requests, then nonsense, then the end', async () => {
  const heard = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\nHEAD /ready HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n');
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
  expect([...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual(['200', '200', '400']);
});

test('by hand: thousands of requests and the end of the client in one go have all of their answers', async () => {
  const count = 3000;
  const heard = await new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      socket.end('GET /health HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count));
    });
    socket.on('data', (chunk) => void chunks.push(chunk));
    socket.on('error', reject).on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  expect(heard.match(/HTTP\/1\.1 200 /g)).toHaveLength(count);
  expect(heard.endsWith('}')).toBe(true);
});

test('the console shows and counts clients of HTTP', async () => {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const asked = async (command: string): Promise<string> =>
    (await run('ec_console', [join(scratch.path, 'c'), command])).output;
  expect(await asked('show inbound')).toMatch(
    /^\d+: \[inbound\/HTTP\] IPv4 127\.0\.0\.1:\d+ awaiting request \(for \d+\.\d{3}s\)$/m,
  );
  expect(await asked('count HTTP 127.0.0.1')).toMatch(/^[1-9]\d* sessions$/m);
  expect(await asked('count SMTP 127.0.0.1')).toMatch(/^0 sessions$/m);
  socket.destroy();
});

test('requests are in the httplog of http_logger', async () => {
  await fetch(at('/nothing?mark=2'));
  const line = await eventually('a line in the httplog', () =>
    execFileSync('cat', [join(scratch.path, 'httplog')])
      .toString()
      .split('\n')
      .find((each) => each.includes('mark=2')),
  );
  expect(line).toMatch(
    new RegExp(
      `^\\d{10} 127\\.0\\.0\\.1:\\d+ 127\\.0\\.0\\.1:${port} "GET nothing\\?mark=2 HTTP/1\\.1" 404 \\d+ \\d+\\.\\d{3}$`,
    ),
  );
});

test('requests are in the paniclog, as Momentum writes them', async () => {
  await fetch(at('/health?mark=1'));
  const line = await eventually('a line in the paniclog', () =>
    execFileSync('cat', [join(scratch.path, 'p')])
      .toString()
      .split('\n')
      .find((each) => each.includes('mark=1')),
  );
  expect(line).toMatch(/^\d{10}:127\.0\.0\.1:\d+ "GET \/health\?mark=1 HTTP\/1\.1" 200 \d+ \d+\.\d{3}$/);
});
