/**
 * How many names does the resolver look up in a second, from the cache and by asking? Run: node bench/resolver.ts
 *
 * The server answers on loopback from a thread of its own, with as little work as can be: the figures are the resolver's
 * and the kernel's. Processor time is that of the whole process, the server's thread included.
 */
import { createSocket } from 'node:dgram';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { seconds } from '../src/base/index.ts';
import { type RecordType, resolver } from '../src/world/index.ts';
import { nodeWorld } from '../src/world/node/index.ts';
import { introduce } from './load/machine.ts';

const LOOKUPS = 50_000;
/** Questions under way at a time. */
const AT_ONCE = 200;
const ADDRESS = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 1]);

if (isMainThread) await measureAll();
else serve();

/** Gives 192.0.2.1 for whatever is asked. */
function serve(): void {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    let end = 12;
    while (query[end] !== 0) end += (query[end] ?? 0) + 1;
    end += 5;
    const answer = Buffer.concat([query.subarray(0, end), ADDRESS]);
    answer.writeUInt16BE(0x8180, 2);
    answer.writeUInt16BE(1, 6);
    // Nothing of what stood behind the question is repeated.
    answer.writeUInt16BE(0, 10);
    socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1', () => parentPort?.postMessage(socket.address().port));
}

async function measureAll(): Promise<void> {
  introduce(`resolver: ${LOOKUPS} look-ups of addresses, ${AT_ONCE} at once`);
  const server = new Worker(new URL(import.meta.url));
  const port = await new Promise<number>((resolve) => {
    server.once('message', resolve);
  });
  using names = resolver(nodeWorld(), {
    servers: [{ ip: '127.0.0.1', port }],
    timeoutMillis: 5000,
    attempts: 2,
    tcpFallback: false,
    maxCacheEntries: LOOKUPS * 2,
    minTtl: seconds(0),
    maxTtl: seconds(86_400),
  });
  const ask = async (name: string, type: RecordType): Promise<void> => {
    const { kind } = await names.lookup(name, type);
    if (kind !== 'found') throw new Error(`${name}: ${kind}`);
  };
  await measured('asked of the server', (n) => ask(`host${n}.example.com`, 'A'));
  await measured('from the cache, each name once', (n) => ask(`host${n}.example.com`, 'A'));
  await measured('from the cache, one name', () => ask('host1.example.com', 'A'));
  await server.terminate();
}

async function measured(what: string, lookup: (n: number) => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < LOOKUPS) await lookup(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const elapsed = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const rate = ((LOOKUPS * 1000) / elapsed).toFixed(0);
  console.log(`${rate.padStart(9)} a second, ${((user + system) / LOOKUPS).toFixed(1)} µs CPU each  ${what}`);
}
