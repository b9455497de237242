/**
 * How many requests a second does the HTTP server answer over connections that are kept? Run: node bench/http.ts
 *
 * A whole server on real sockets; the client is a thread of its own, which writes and counts bytes and parses nothing, so
 * the figures are the server's. Processor time is that of the whole process, the client's thread included.
 *
 * On two shared cores (Node 24.21): /health 9,600/s one by one and 12,800/s with sixteen at once, 40 to 75 µs each;
 * /stats/summary 100 to 170 µs, /metrics 220 to 370 µs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { buildServer } from '../src/main/index.ts';
import { nodeProcess, nodeWorld } from '../src/world/node/index.ts';
import { serverConfiguration } from '../test/support/server-configuration.ts';
import { introduce } from './load/machine.ts';

const CONNECTIONS = 16;
const SECONDS = 3;
const PORT = 12_081;

interface Task {
  readonly path: string;
  /** Requests that wait for their answers on each connection. */
  readonly depth: number;
}

if (isMainThread) await measureAll();
else ask(workerData as Task);

async function measureAll(): Promise<void> {
  introduce(`http: ${CONNECTIONS} kept connections, ${SECONDS} s each`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-http-'));
  const file = join(folder, 'impetus.conf');
  writeFileSync(
    file,
    `Spoolbase = "${folder}/spool"\nControl_Listener { Listen "${folder}/c" { } }\nHTTP_Listener { Listen "127.0.0.1:${PORT}" { } }\n`,
  );
  const world = nodeWorld();
  const server = await buildServer({
    world,
    process: nodeProcess(),
    configuration: await serverConfiguration(world, file),
  });
  await measured('/health', 1);
  await measured('/health', 16);
  await measured('/stats/summary', 1);
  await measured('/stats/queues/mailq', 1);
  await measured('/metrics', 1);
  await server.close(1000);
  rmSync(folder, { recursive: true, force: true });
}

async function measured(path: string, depth: number): Promise<void> {
  const before = process.cpuUsage();
  const began = performance.now();
  const client = new Worker(new URL(import.meta.url), { workerData: { path, depth } satisfies Task });
  const answers = await new Promise<number>((resolve, reject) => {
    client.once('message', resolve).once('error', reject);
  });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  await client.terminate();
  const each = (user + system) / answers;
  console.log(
    `${path.padEnd(22)} ${String(depth).padStart(3)} at once  ${(answers / seconds).toFixed(0).padStart(7)} requests/s  ${each.toFixed(0).padStart(4)} µs of processor each`,
  );
}

/** Counts answers by their first line. */
function ask({ path, depth }: Task): void {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  const mark = Buffer.from('HTTP/1.1 200 ');
  const end = performance.now() + SECONDS * 1000;
  let answers = 0;
  let open = CONNECTIONS;
  for (let n = 0; n < CONNECTIONS; n++) {
    const socket = connect(PORT, '127.0.0.1', () => {
      for (let sent = 0; sent < depth; sent++) socket.write(request);
    });
    socket.on('data', (chunk) => {
      for (let found = chunk.indexOf(mark); found !== -1; found = chunk.indexOf(mark, found + 1)) {
        answers++;
        if (performance.now() < end) socket.write(request);
        else socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (--open === 0) parentPort?.postMessage(answers);
    });
  }
}
