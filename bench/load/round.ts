import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { busy, type Cpu, Group } from './group.ts';
import { type Mta, start } from './mta.ts';
import { Sampler } from './sampler.ts';
import { CountingSink, Source } from './tools.ts';
import type { Mode, Workload, WorkloadName } from './workloads.ts';

/** One run of one server. Rates are messages a second. */
export interface Measured {
  readonly mta: string;
  readonly workload: WorkloadName;
  readonly mode: Mode;
  readonly messages: number;
  /** Until the source had all its 250s. */
  readonly intake: number;
  /** Until the sink had all; only for `relay`. */
  readonly relay: number | undefined;
  /** What went wrong: not all came, or the source complained. */
  readonly fault: string | undefined;
  /** Milliseconds of processor time a message, of the server and of source and sink. */
  readonly cpu: number;
  readonly cpuUser: number;
  readonly cpuSystem: number;
  readonly cpuTools: number;
  /** Peaks, MB. */
  readonly residentMb: number;
  readonly ownMb: number;
  readonly processes: number;
  /** Share of all processors that other programs took, 0 to 1. */
  readonly foreign: number;
}

/** Milliseconds between two looks at what the sink has. */
const LOOK = 10;
/** Nothing new at the sink for so long: it will not come. */
const STUCK = 15_000;

/** What rounds share: where the queues lie, and who is counted. */
export class Ground implements AsyncDisposable {
  readonly server = new Group(`impetus-bench-${process.pid}`);
  /** For a second server beside the first. */
  readonly other = new Group(`impetus-bench-other-${process.pid}`);
  readonly tools = new Group(`impetus-bench-tools-${process.pid}`);
  readonly directory: string;

  constructor(under: string) {
    mkdirSync(under, { recursive: true });
    this.directory = mkdtempSync(join(under, 'impetus-bench-'));
    // Servers that give up root must get through to their queues.
    execFileSync('chmod', ['755', this.directory]);
  }

  /** A fresh folder; what was in it before is gone, and the disk has nothing left to write. */
  fresh(): string {
    const directory = join(this.directory, 'run');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { mode: 0o755 });
    execFileSync('sync');
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.end();
    await this.other.end();
    await this.tools.end();
    this.server.remove();
    this.other.remove();
    this.tools.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * An empty queue, a new process, one load, all of it.
 *
 * @param most  milliseconds after which it is cut off
 */
export async function measure(
  ground: Ground,
  mta: Mta,
  workload: Workload,
  mode: Mode,
  messages: number,
  most = 120_000,
): Promise<Measured> {
  await using sink = await CountingSink.start(ground.tools);
  try {
    const port = await start(mta, ground.fresh(), sink.port, mode, ground.server);
    await slept(500);
    execFileSync('sync');
    return await run(ground, mta, workload, mode, messages, most, port, sink);
  } finally {
    await ground.server.end();
  }
}

async function run(
  ground: Ground,
  mta: Mta,
  workload: Workload,
  mode: Mode,
  messages: number,
  most: number,
  port: number,
  sink: CountingSink,
): Promise<Measured> {
  const before = {
    count: sink.count,
    server: ground.server.cpu,
    tools: ground.tools.cpu,
    all: busy(),
    us: process.cpuUsage(),
  };
  using sampler = new Sampler(ground.server);
  const began = performance.now();
  await using source = new Source(ground.tools, port, workload, messages);
  let arrived = 0;
  let last = began;
  for (;;) {
    await slept(LOOK);
    const now = performance.now();
    const count = sink.count - before.count;
    if (count > arrived) {
      arrived = count;
      last = now;
    }
    if (source.took !== undefined && (mode === 'hold' || arrived >= messages)) break;
    if (now - began > most || (source.took !== undefined && now - last > STUCK)) break;
  }
  const seconds = (performance.now() - began) / 1000;
  const server = less(ground.server.cpu, before.server);
  const tools = less(ground.tools.cpu, before.tools);
  const us = process.cpuUsage(before.us);
  const ours = server.user + server.system + tools.user + tools.system + (us.user + us.system) / 1e6;
  const each = (spent: number): number => (spent * 1000) / messages;
  return {
    mta: mta.name,
    workload: workload.name,
    mode,
    messages,
    intake: source.took === undefined ? 0 : (messages * 1000) / source.took,
    relay: mode === 'relay' ? (arrived * 1000) / Math.max(last - began, 1) : undefined,
    fault: faultOf(source, mode, messages, arrived),
    cpu: each(server.user + server.system),
    cpuUser: each(server.user),
    cpuSystem: each(server.system),
    cpuTools: each(tools.user + tools.system),
    residentMb: sampler.resident / 1e6,
    ownMb: sampler.own / 1e6,
    processes: sampler.processes,
    foreign: Math.max(0, busy().programs - before.all.programs - ours) / (seconds * availableParallelism()),
  };
}

function faultOf(source: Source, mode: Mode, messages: number, arrived: number): string | undefined {
  if (source.took === undefined) return 'cut off before the source was done';
  if (source.errors !== '') return source.errors.trim().slice(-200);
  return mode === 'relay' && arrived < messages ? `${arrived} of ${messages} arrived` : undefined;
}

const less = (one: Cpu, other: Cpu): Cpu => ({ user: one.user - other.user, system: one.system - other.system });

const slept = (millis: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, millis);
  });
