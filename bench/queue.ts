/**
 * What does it cost to queue a message, to take it, and to settle it; and how much memory does one that waits take?
 * Run: node bench/queue.ts [--count 1000000] [--domains 1000]
 *
 * Each message is an envelope of its own with one recipient, as reception hands it over; the spool does nothing. Memory
 * is that of the whole process after a collection, so the registry's packed envelopes are in it and bodies are not.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bindingName, millis } from '../src/base/index.ts';
import { loadConfiguration } from '../src/config/index.ts';
import { declaredOptions, moduleNames } from '../src/main/index.ts';
import { type Envelope, idAllocator, type MessageId, type SpoolAddress } from '../src/message/index.ts';
import { type MailQueue, type Outcome, QueueRegistry } from '../src/queue/index.ts';
import { Shaping } from '../src/shaping/index.ts';
import { reply } from '../src/smtp/index.ts';
import { simWorld } from '../src/world/sim/index.ts';
import { MemorySpool } from '../test/support/memory-spool.ts';
import { introduce } from './load/machine.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, domains: { type: 'string', default: '1000' } },
});
const count = Number(values.count);
const domains = Number(values.domains);
introduce(`queue: ${count} messages for ${domains} domains: enqueue, take, defer, settle; µs and bytes each`);

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes that the process holds: heap and buffers. */
function held(): number {
  if (typeof collect === 'function') collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const { clock, disk } = simWorld();
await disk.makeDirectory('/etc');
await disk.replace('/etc/impetus.conf', Buffer.from('Retry_Interval = 1200\n'));
const configuration = await loadConfiguration({
  disk,
  clock,
  searchPath: ['/etc'],
  declared: declaredOptions,
  modules: moduleNames,
});
/** Bodies and records are the spool's; here nothing is kept. */
class NoSpool extends MemorySpool {
  override done(): void {}
  override amend(): void {}
  override swapOut(): void {}
}
const queues = new QueueRegistry({
  clock,
  spool: new NoSpool(),
  events: {
    record: () => undefined,
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    diagnose: () => undefined,
  },
  shaping: new Shaping(() => configuration.current),
  current: () => configuration.current,
  undertaker: { bury: () => undefined, tell: () => undefined },
  classify: () => 1,
});

const ids = idAllocator({ instance: 7 });
const binding = bindingName('default');

function envelope(n: number): Envelope {
  const date = clock.date();
  const id = (): MessageId => ids.next(date);
  return {
    batchId: id(),
    connectionId: id(),
    receivedAt: date,
    reversePath: `bounces-${n}@source.example`,
    recipients: [{ id: id(), path: `recipient${n}@destination${n % domains}.example`, binding }],
    protocol: 'esmtp',
    peer: '192.0.2.1',
    size: 1024,
    context: { connection: {}, message: {} },
  };
}

function measured(what: string, times: number, run: () => void): void {
  const cpu = process.cpuUsage();
  const began = performance.now();
  run();
  const micros = ((performance.now() - began) * 1000) / times;
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${micros.toFixed(2).padStart(8)} µs each, ${((user + system) / times).toFixed(2)} µs CPU  ${what}`);
}

const attempt = {
  stage: 8,
  connectionId: ids.next(clock.date()),
  address: '192.0.2.2',
  host: 'mx.example',
  bytes: 1024,
};
const deferred: Outcome = { kind: 'deferred', reply: reply(451, '4.3.0', 'later'), attempt };
const delivered: Outcome = { kind: 'delivered', reply: reply(250, '2.0.0', 'OK'), attempt };

/** Takes up to so many, one by one from each queue in turn, and settles each. */
function settle(most: number, outcome: Outcome): number {
  let settled = 0;
  for (;;) {
    let before = settled;
    for (const queue of queues.all()) {
      if (settled === most) return settled;
      settled += one(queue, outcome);
    }
    if (settled === before) return settled;
    before = settled;
  }
}

function one(queue: MailQueue, outcome: Outcome): number {
  const items = queue.take(1);
  for (const item of items) queue.settle(item, outcome);
  return items.length;
}

let sum = 0;
measured('making an envelope, which is not the queue', count, () => {
  for (let n = 0; n < count; n++) sum += envelope(n).size;
});
const empty = held();
measured('enqueue, with making the envelope', count, () => {
  for (let n = 0; n < count; n++)
    queues.enqueue({ at: (n + 1) as SpoolAddress, envelope: envelope(n), traits: { dots: false, lone: false } });
});
console.log(`${((held() - empty) / count).toFixed(0).padStart(8)} bytes each while it is active`);
const tenth = Math.floor(count / 10);
measured('take and defer', tenth, () => {
  sum += settle(tenth, deferred);
});
// What a turn gathers (retry states) belongs to it.
await clock.advance(1);
console.log(`${((held() - empty) / count).toFixed(0).padStart(8)} bytes each with a tenth of them delayed`);
await clock.advance(millis(1_300_000));
measured('take and deliver', count, () => {
  sum += settle(count, delivered);
});
console.log(`${((held() - empty) / count).toFixed(0).padStart(8)} bytes each when all are gone`);
const { difference, queued } = queues.ledger;
if (difference !== 0 || queued !== 0 || sum === 0)
  throw new Error(`the books do not balance: ${difference}, ${queued} left`);
