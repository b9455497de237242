/**
 * How fast is this server, alone or beside others? `npm run bench -- [--peers postfix,haraka] [--workloads W1,W2,W3,W4]
 * [--modes relay,hold] [--runs 3] [--seconds 8] [--out FILE] [--directory DIR]`
 *
 * Servers take turns, run by run. The page goes to bench/results/bench.md, its plots and the raw figures beside it, and
 * a copy of page and plots to `--out`. `--directory` is where queues lie, on the disk that is to be measured.
 * Wants smtp-source and smtp-sink (test/peers/install.sh); `--peers` installs what it names.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { eventually, home } from '../test/end-to-end/harness.ts';
import { haraka } from './load/haraka.ts';
import { impetus } from './load/impetus.ts';
import { fileSystem, firstLine, machineLine } from './load/machine.ts';
import { type Mta, start } from './load/mta.ts';
import type { Paced } from './load/paced.ts';
import { page } from './load/page.ts';
import { postfix } from './load/postfix.ts';
import { type Latency, medianRate, type Results, rateOf } from './load/results.ts';
import { Ground, type Measured, measure } from './load/round.ts';
import { CountingSink, greets, program, Source } from './load/tools.ts';
import { isMode, isWorkload, type Mode, type Workload, type WorkloadName, workloads } from './load/workloads.ts';

const SERVERS: readonly Mta[] = [impetus, postfix, haraka];
/** A run in which others took more of the machine is made again, once, and the quieter one counts. */
const QUIET = 0.12;
/** Of the best relay rate: how fast messages come while latency is measured. */
const SHARE = 0.7;

const began = performance.now();
const wish = wanted(process.argv.slice(2));
const results = {
  runs: [] as Measured[],
  latencies: [] as Latency[],
  ceilings: new Map<WorkloadName, number>(),
  failures: [] as string[],
};
// The tools first: a peer may come with them.
execFileSync('sh', [join(home, 'test/peers/install.sh')], { stdio: ['ignore', 'ignore', 'inherit'] });
const versions = [
  ...wish.servers.map((mta) => mta.version()),
  `smtp-source and smtp-sink of Postfix ${firstLine(program('postconf'), '-dh', 'mail_version')}`,
];

const steps = wish.workloads.length * (1 + wish.modes.length * wish.servers.length * (wish.runs + 1));
const latencySteps = wish.modes.includes('relay') ? wish.workloads.length : 0;
let done = 0;

await using ground = new Ground(wish.directory);
// What is stopped by hand leaves no server behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void ground[Symbol.asyncDispose]().finally(() => process.exit(1)));
const counted = ground.server.whole;

for (const workload of wish.workloads) {
  results.ceilings.set(workload.name, await ceiling(workload));
  step(`${workload.name}: the tools alone: ${results.ceilings.get(workload.name)?.toFixed(0)}/s`);
  for (const mode of wish.modes) await compare(workload, mode);
  if (wish.modes.includes('relay')) {
    const latency = await latencyOf(workload);
    if (latency !== undefined) results.latencies.push(latency);
    step(`${workload.name}: reply to the dot, p99 ${latency?.paced.p99.toFixed(2) ?? '–'} ms`);
  }
}
write(results);

/** All servers in turn: once to find out how many messages a run shall have, then the runs that count. */
async function compare(workload: Workload, mode: Mode): Promise<void> {
  const counts = new Map<string, number>();
  for (let run = 0; run <= wish.runs; run++) {
    for (const mta of wish.servers) {
      const count = run === 0 ? workload.first : counts.get(mta.name);
      // It has failed in the first run: the others go on without it.
      if (count === undefined) {
        step(`${workload.name} ${mode} ${mta.name}: left out`);
        continue;
      }
      try {
        const once = (): Promise<Measured> => measure(ground, mta, workload, mode, count);
        const measured = run === 0 ? await once() : await quietly(once);
        if (run > 0) results.runs.push(measured);
        else counts.set(mta.name, Math.round(Math.min(400_000, Math.max(200, rateOf(measured) * wish.seconds))));
        step(inWords(measured, run));
      } catch (error) {
        counts.delete(mta.name);
        const why = error instanceof Error ? error.message : String(error);
        results.failures.push(`${workload.name} ${mode}, ${mta.name}: ${why.split('\n')[0]}`);
        step(`${workload.name} ${mode} ${mta.name}: ${why}`);
      }
    }
  }
}

/** A run that others have disturbed is made once more. */
async function quietly(run: () => Promise<Measured>): Promise<Measured> {
  const first = await run();
  if (first.foreign <= QUIET) return first;
  const again = await run();
  return again.foreign < first.foreign ? again : first;
}

function inWords(run: Measured, number: number): string {
  const rate =
    run.mode === 'relay'
      ? `taken ${run.intake.toFixed(0)}/s, relayed ${run.relay?.toFixed(0)}/s`
      : `taken ${run.intake.toFixed(0)}/s`;
  return [
    `${run.workload} ${run.mode} ${run.mta}${number === 0 ? ' (first)' : ''}: ${rate} of ${run.messages}`,
    `CPU ${run.cpu.toFixed(3)} ms`,
    `RSS ${run.residentMb.toFixed(0)} MB`,
    `others ${(run.foreign * 100).toFixed(0)} %`,
    ...(run.fault === undefined ? [] : [run.fault]),
  ].join(', ');
}

/** Messages a second from source to sink, without a server. */
async function ceiling(workload: Workload): Promise<number> {
  await using sink = await CountingSink.start(ground.tools);
  const count = workload.first * 4;
  await using source = new Source(ground.tools, sink.port, workload, count);
  await eventually('the source is done', () => source.took !== undefined, 120_000);
  return (count * 1000) / (source.took ?? Number.POSITIVE_INFINITY);
}

/** This server, relaying at a part of what it can. */
async function latencyOf(workload: Workload): Promise<Latency | undefined> {
  const best = medianRate(results, impetus.name, workload.name, 'relay');
  if (best === undefined || best === 0) return undefined;
  await using sink = await CountingSink.start(ground.tools);
  try {
    const port = await start(impetus, ground.fresh(), sink.port, 'relay', ground.server);
    const pace = {
      port,
      rate: best * SHARE,
      seconds: wish.seconds,
      bytes: workload.bytes,
      sessions: workload.sessions,
    };
    if (!(await greets(port))) return undefined;
    return {
      mta: impetus.name,
      workload: workload.name,
      share: SHARE,
      paced: await pacedProcess(pace, !workload.reuse),
    };
  } finally {
    await ground.server.end();
  }
}

/** The load in a process of its own, so that our looking at counters delays none of its replies. */
function pacedProcess(pace: Readonly<Record<string, number>>, once: boolean): Promise<Paced> {
  const words = Object.entries(pace).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [command = '', ...rest] = [
    ...ground.tools.wrapper,
    process.execPath,
    join(import.meta.dirname, 'load/paced.ts'),
    ...words,
    ...(once ? ['--once'] : []),
  ];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return new Promise((settle, reject) => {
    child.on('error', reject).on('close', (code) => {
      if (code === 0) settle(JSON.parse(text) as Paced);
      else reject(new Error(`the paced load ended with ${code}`));
    });
  });
}

function step(text: string): void {
  done++;
  const spent = (performance.now() - began) / 1000;
  const left = (spent / done) * (steps + latencySteps - done);
  console.log(`[${done}/${steps + latencySteps}, about ${Math.max(0, Math.ceil(left / 60))} min to go] ${text}`);
}

function write(all: Results): void {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: machineLine(),
    disk: fileSystem(ground.directory),
    versions,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trimEnd(),
    counted,
  };
  for (const path of new Set([join(home, 'bench/results/bench.md'), ...(wish.out === undefined ? [] : [wish.out])])) {
    const { text, plots } = page(all, about, basename(path, '.md'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    for (const [name, plot] of plots) writeFileSync(join(dirname(path), name), plot);
    console.log(`written: ${path} and ${plots.size} plots beside it`);
  }
  const ceilings = Object.fromEntries(all.ceilings);
  const lines = [{ about, ceilings, failures: all.failures }, ...all.runs, ...all.latencies];
  const raw = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(home, 'bench/results/bench.jsonl'), raw);
}

interface Wish {
  readonly servers: readonly Mta[];
  readonly workloads: readonly Workload[];
  readonly modes: readonly Mode[];
  readonly runs: number;
  readonly seconds: number;
  readonly out: string | undefined;
  readonly directory: string;
}

function wanted(given: readonly string[]): Wish {
  // `--peers` alone means all of them.
  const words = given.flatMap((word, i) =>
    word === '--peers' && (given[i + 1] === undefined || given[i + 1]?.startsWith('-'))
      ? ['--peers=postfix,haraka']
      : [word],
  );
  const { values } = parseArgs({
    args: words,
    options: {
      peers: { type: 'string', default: '' },
      workloads: { type: 'string', default: 'W1,W2,W3,W4' },
      modes: { type: 'string', default: 'relay,hold' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      out: { type: 'string' },
      directory: { type: 'string', default: '/var/tmp' },
    },
  });
  const list = (text: string): readonly string[] =>
    text
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean);
  const peers = list(values.peers);
  const known = SERVERS.map(({ name }) => name);
  for (const name of peers) if (!known.includes(name)) usage(`no server ${name}; there are ${known.join(', ')}`);
  const names = list(values.workloads);
  const modes = list(values.modes);
  for (const name of names)
    if (!isWorkload(name)) usage(`no workload ${name}; there are ${Object.keys(workloads).join(', ')}`);
  for (const name of modes) if (!isMode(name)) usage(`no mode ${name}; there are relay and hold`);
  const positive = (name: 'runs' | 'seconds'): number => {
    const number = Number(values[name]);
    return number > 0 ? number : usage(`--${name} takes a number above 0`);
  };
  return {
    servers: SERVERS.filter(({ name }) => name === impetus.name || peers.includes(name)),
    workloads: names.filter(isWorkload).map((name) => workloads[name]),
    modes: modes.filter(isMode),
    runs: Math.round(positive('runs')),
    seconds: positive('seconds'),
    out: values.out === undefined ? undefined : resolve(values.out),
    directory: resolve(values.directory),
  };
}

function usage(text: string): never {
  console.error(`bench: ${text}`);
  process.exit(2);
}
