/**
 * How much mail comes in by HTTP? Run: node bench/transmissions.ts
 *
 * A whole server on real sockets and a real disk, every message synced before it is acknowledged. First many small
 * transmissions to one recipient each, over kept connections; then one transmission to 100,000 recipients with data of
 * their own, while a client of SMTP asks NOOP every few milliseconds. Nobody takes the mail: it stays in the queue. The
 * clients are a thread of their own.
 *
 * On two shared cores (Node 24.21): 6,100 messages/s one by one; 100,000 recipients acknowledged after 1.4 s and in the
 * queue after 6.5 s, 15,500 messages/s, with NOOP answered at p99 in 29 ms and at worst in 170 ms, which is the parsing of a
 * request of 12 MB.
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

const CONNECTIONS = 64;
const SECONDS = 4;
const RECIPIENTS = 100_000;
const [HTTP, SMTP] = [12_082, 12_025];

type Task = 'single' | 'many' | 'noop';

if (isMainThread) await measureAll();
else if (workerData === 'single') sendSingles();
else if (workerData === 'many') sendMany();
else askNoop();

async function measureAll(): Promise<void> {
  introduce(`transmissions: ${CONNECTIONS} kept connections for ${SECONDS} s, then one to ${RECIPIENTS} recipients`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-transmissions-'));
  const file = join(folder, 'impetus.conf');
  writeFileSync(
    file,
    `Spoolbase = "${folder}/spool"
API_Store_File = "${folder}/api.db"
Routes = ( "smtp://127.0.0.1:1" )
Retry_Interval = 3600
Max_Outbound_Connections = 1
ESMTP_Listener { Listen "127.0.0.1:${SMTP}" { } }
Control_Listener { Listen "${folder}/c" { } }
HTTP_Listener { Always_Allow = true Listen "127.0.0.1:${HTTP}" { } }
ec_logger { mainlog = "${folder}/m" rejectlog = "${folder}/r" paniclog = "${folder}/p" acctlog = "${folder}/a" }
`,
  );
  const world = nodeWorld();
  let received = 0;
  let reached: (() => void) | undefined;
  const server = await buildServer({
    world,
    process: nodeProcess(),
    configuration: await serverConfiguration(world, file),
    observe: (events) =>
      events.subscribe(['reception'], () => {
        if (++received === RECIPIENTS) reached?.();
      }),
  });
  const before = process.cpuUsage();
  const answers = await heardFrom<number>(worker('single'));
  const { user, system } = process.cpuUsage(before);
  console.log(
    `one recipient each   ${(answers / SECONDS).toFixed(0).padStart(7)} messages/s, durable; ${((user + system) / answers).toFixed(0)} µs of processor each, the client's thread included`,
  );

  received = 0;
  const idle = await heardFrom<readonly number[]>(ended(worker('noop')));
  const all = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const asking = worker('noop');
  const began = performance.now();
  const acknowledged = heardFrom<number>(worker('many')).then(() => performance.now() - began);
  await all;
  const seconds = (performance.now() - began) / 1000;
  const busy = await heardFrom<readonly number[]>(ended(asking, 0));
  console.log(
    `${RECIPIENTS} recipients    ${(RECIPIENTS / seconds).toFixed(0).padStart(7)} messages/s into the queue, from the first byte of the request; acknowledged after ${((await acknowledged) / 1000).toFixed(2)} s, all made after ${seconds.toFixed(2)} s`,
  );
  console.log(`NOOP by SMTP         idle ${words(idle)}; meanwhile ${words(busy)}`);
  console.log(`memory               ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
  await server.close(100);
  rmSync(folder, { recursive: true, force: true });
}

function words(millis: readonly number[]): string {
  const sorted = [...millis].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(0.9999)} ms of ${sorted.length}`;
}

function worker(task: Task): Worker {
  return new Worker(new URL(import.meta.url), { workerData: task });
}

/** Tells it to stop after so long. */
function ended(who: Worker, after = 1000): Worker {
  setTimeout(() => who.postMessage('stop'), after);
  return who;
}

function heardFrom<T>(who: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    who.once('message', (value: T) => {
      resolve(value);
      void who.terminate();
    });
    who.once('error', reject);
  });
}

function request(body: string): Buffer {
  return Buffer.from(
    `POST /api/v1/transmissions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function sendSingles(): void {
  const one = request(
    JSON.stringify({
      recipients: [{ address: { email: 'ann@example.com', name: 'Ann' }, substitution_data: { n: 5 } }],
      content: {
        from: 'news@shop.example',
        subject: 'Order {{n}}',
        text: 'Hello {{address.name}}, your order {{n}} is on its way.\n',
      },
    }),
  );
  const mark = Buffer.from('HTTP/1.1 200 ');
  const end = performance.now() + SECONDS * 1000;
  let answers = 0;
  let open = CONNECTIONS;
  for (let n = 0; n < CONNECTIONS; n++) {
    const socket = connect(HTTP, '127.0.0.1', () => socket.write(one));
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      if (chunk.indexOf(mark) === -1) throw new Error(chunk.toString());
      answers++;
      if (performance.now() < end) socket.write(one);
      else socket.destroy();
    });
    socket.on('close', () => {
      if (--open === 0) parentPort?.postMessage(answers);
    });
  }
}

function sendMany(): void {
  const recipients = Array.from({ length: RECIPIENTS }, (_, n) => ({
    address: { email: `user${n}@example${n % 100}.com`, name: `User ${n}` },
    substitution_data: { n, items: [{ name: 'Tea' }, { name: 'Cup' }] },
  }));
  const body = request(
    JSON.stringify({
      recipients,
      content: {
        from: { name: 'Shop', email: 'news@shop.example' },
        subject: 'Order {{n}}',
        text: 'Hello {{address.name}}\n{{each items}}\n{{loop_index}}. {{loop_var.name}}\n{{end}}\nhttp://shop.example/{{n}}\n',
        html: '<p>Hello {{address.name}}</p><ul>{{each items}}<li>{{loop_var.name}}</li>{{end}}</ul><a href="http://shop.example/{{n}}">all</a>',
      },
    }),
  );
  const socket = connect(HTTP, '127.0.0.1', () => socket.write(body));
  socket.on('data', (chunk) => {
    if (!chunk.toString().startsWith('HTTP/1.1 200 ')) throw new Error(chunk.toString());
    parentPort?.postMessage(1);
  });
}

/** Latencies of a command that needs no disk, in milliseconds. */
function askNoop(): void {
  const taken: number[] = [];
  let since = 0;
  const socket = connect(SMTP, '127.0.0.1');
  const ask = (): void => {
    since = performance.now();
    socket.write('NOOP\r\n');
  };
  socket.setNoDelay(true);
  socket.on('data', () => {
    if (since > 0) taken.push(performance.now() - since);
    setTimeout(ask, 3);
  });
  parentPort?.once('message', () => parentPort?.postMessage(taken));
}
