/**
 * How many receptions a second the spool makes durable on this machine's disk, and at which cost.
 *
 *     node bench/spool.ts [--messages N] [--size B] [--writers W] [--directory DIR] [--disk] [--recover]
 *
 * `--disk` measures what the disk can do below the spool: append or overwrite, fdatasync or O_DSYNC. `--recover` leaves
 * all messages in the spool and measures the next start. Writers are closed loops: each commits its next message when
 * the one before was kept. A kept message is read from memory and done at once, as in a relay that is not behind.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bindingName, millis } from '../src/base/index.ts';
import type { Envelope, MessageId } from '../src/message/index.ts';
import { openSpool, type Spool, type SpoolSettings } from '../src/spool/index.ts';
import { nodeWorld } from '../src/world/node/index.ts';
import { fileSystem, introduce } from './load/machine.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '60000' },
    size: { type: 'string', default: '10240' },
    writers: { type: 'string', default: '100' },
    directory: { type: 'string', default: tmpdir() },
    disk: { type: 'boolean', default: false },
    recover: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const size = Number(values.size);
const writers = Number(values.writers);
const directory = fs.mkdtempSync(path.join(values.directory, 'impetus-spool-'));

const SETTINGS: SpoolSettings = {
  spool_mode: 0o640,
  force_fsync: true,
  large_message_threshold: 131_072,
  max_resident_messages: 32_768,
  max_resident_bytes: 64 * 1024 * 1024,
  spool_min_free: 128 * 1024 * 1024,
};

function envelope(n: number): Envelope {
  const id = `00/${String(n).padStart(8, '0')}` as MessageId;
  return {
    batchId: id,
    connectionId: id,
    receivedAt: millis(1_770_000_000_000 + n),
    reversePath: `sender${n % 100}@source.example`,
    recipients: [{ id, path: `recipient${n}@destination${n % 50}.example`, binding: bindingName('default') }],
    protocol: 'esmtp',
    peer: '192.0.2.1',
    size,
    context: { connection: { mta: 'bench' }, message: {} },
  };
}

/** A chunk as a socket read gives it: an ArrayBuffer of its own. */
function chunk(): Buffer {
  return Buffer.alloc(size, 'a line of text that means nothing at all, but is long enough to look like mail\r\n');
}

async function measure(spool: Spool): Promise<void> {
  const received = Buffer.from(
    'Received: from source.example by here with ESMTP; Tue, 03 Mar 2026 10:00:00 +0000\r\n',
    'latin1',
  );
  let started = 0;
  let kept = 0;
  const latencies = new Float64Array(messages);
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await new Promise<void>((resolve, reject) => {
    const write = (): void => {
      if (started === messages) return;
      const n = started++;
      const since = performance.now();
      const draft = spool.draft();
      draft.append([received]);
      draft.append([chunk()]);
      draft.commit(
        envelope(n),
        { dots: false, lone: false },
        {
          kept(at) {
            latencies[n] = performance.now() - since;
            if (!values.recover) {
              const hold = spool.hold(at);
              void hold.next(1_000_000);
              hold[Symbol.dispose]();
              spool.done(at, [0]);
            }
            if (++kept === messages) resolve();
            // As the next command of a peer would: in a later turn.
            else setImmediate(write);
          },
          refused: reject,
        },
      );
    };
    for (let i = 0; i < writers; i++) write();
  });
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  latencies.sort();
  const { syncs } = spool.statistics;
  print({
    'receptions/s': Math.round(messages / seconds),
    'CPU us a message': ((used.user + used.system) / messages).toFixed(1),
    'of it in the kernel': (used.system / messages).toFixed(1),
    syncs,
    'messages a sync': (messages / syncs).toFixed(1),
    'p50 ms': latencies[Math.floor(messages / 2)]!.toFixed(2),
    'p99 ms': latencies[Math.floor(messages * 0.99)]!.toFixed(2),
  });
}

/** What making the message itself costs, which is not the spool's. */
function overhead(): void {
  const cpu = process.cpuUsage();
  for (let n = 0; n < messages; n++) {
    chunk();
    envelope(n);
  }
  const used = process.cpuUsage(cpu);
  print({ 'CPU us a message of this bench itself': ((used.user + used.system) / messages).toFixed(1) });
}

async function recover(spool: Spool): Promise<void> {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  let count = 0;
  for await (const batch of spool.recover()) count += batch.length;
  const used = process.cpuUsage(cpu);
  print({
    recovered: count,
    seconds: ((performance.now() - begin) / 1000).toFixed(2),
    'CPU us a message': ((used.user + used.system) / count).toFixed(1),
    'MB RSS': Math.round(process.memoryUsage().rss / 1e6),
  });
}

/** Below the spool: one writer, batches of ten messages, synchronous calls. */
function measureDisk(): void {
  const { O_CREAT, O_DSYNC, O_WRONLY } = fs.constants;
  const body = chunk();
  const file = path.join(directory, 'probe');
  for (const batch of [1, 10, 40]) {
    for (const [name, dsync, prepared] of [
      ['append, fdatasync', false, false],
      ['append, O_DSYNC', true, false],
      ['overwrite, fdatasync', false, true],
      ['overwrite, O_DSYNC', true, true],
    ] as const) {
      const rounds = 300;
      if (prepared) fs.writeFileSync(file, Buffer.alloc(rounds * batch * size), { flush: true });
      const descriptor = fs.openSync(file, O_WRONLY | O_CREAT | (dsync ? O_DSYNC : 0));
      const views = Array.from({ length: batch }, () => body);
      const cpu = process.cpuUsage();
      const begin = performance.now();
      for (let round = 0, at = 0; round < rounds; round++) {
        at += fs.writevSync(descriptor, views, at);
        if (!dsync) fs.fdatasyncSync(descriptor);
      }
      const elapsed = performance.now() - begin;
      const used = process.cpuUsage(cpu);
      fs.closeSync(descriptor);
      fs.unlinkSync(file);
      print({
        what: name,
        'messages a batch': batch,
        'ms a batch': (elapsed / rounds).toFixed(3),
        'CPU us a batch': Math.round((used.user + used.system) / rounds),
      });
    }
  }
}

function print(figures: Record<string, string | number>): void {
  console.log(
    Object.entries(figures)
      .map(([name, value]) => `${name}: ${value}`)
      .join('   '),
  );
}

introduce(`spool: ${messages} messages of ${size} bytes by ${writers} writers, on ${fileSystem(directory)}`);
const { clock, disk, chance } = nodeWorld();
const open = (): Promise<Spool> =>
  openSpool({
    disk,
    clock,
    chance,
    directory,
    settings: SETTINGS,
    events: { diagnose: (level, _, text) => console.log(level, text) },
  });
try {
  if (values.disk) measureDisk();
  else {
    overhead();
    {
      await using spool = await open();
      await measure(spool);
    }
    if (values.recover) {
      await using spool = await open();
      await recover(spool);
    }
  }
} finally {
  fs.rmSync(directory, { recursive: true });
}
