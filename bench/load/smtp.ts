/**
 * A load generator for SMTP with TLS, AUTH and bad manners: `npm run load -- HOST:PORT [options]`, `--help` tells all of
 * them. Raw sockets and prepared buffers, one or more processes; memory does not grow with the load.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { help, type Plan, planOf } from './smtp-plan.ts';
import type { Order, Report } from './smtp-worker.ts';
import { Tally, timed } from './tally.ts';

/** What a load has come to. Rates are messages a second, times milliseconds. */
export interface LoadReport {
  readonly seconds: number;
  readonly connections: number;
  readonly resumed: number;
  /** Connections that were open at the end: of hostile clients, those that the server had let live. */
  readonly openAtEnd: number;
  readonly sent: number;
  readonly accepted: number;
  readonly acceptedRecipients: number;
  readonly rate: number;
  readonly megabytesPerSecond: number;
  /** Messages lost with their connection; of hostile clients, connections that the server ended. */
  readonly lost: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly latency: Readonly<
    Record<string, { readonly p50: number; readonly p95: number; readonly p99: number; readonly most: number }>
  >;
}

/** Milliseconds in which messages that are under way may end, after the last one was begun. */
const GRACE = 15_000;

/** A load on its way. */
export class Load {
  readonly report: Promise<LoadReport>;
  readonly #plan: Plan;
  readonly #children: ChildProcess[] = [];
  readonly #tallies: Tally[] = [];
  readonly #began = performance.now();
  #most: Tally = new Tally();

  /** @param spawned  told of each worker process */
  constructor(plan: Plan, spawned: (child: ChildProcess) => void = () => undefined) {
    this.#plan = plan;
    const done: Promise<void>[] = [];
    for (let i = 0; i < plan.workers; i++) {
      const share = (whole: number): number =>
        Math.floor((whole * (i + 1)) / plan.workers) - Math.floor((whole * i) / plan.workers);
      const child = fork(join(import.meta.dirname, 'smtp-worker.ts'), {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      spawned(child);
      this.#children.push(child);
      done.push(this.#follow(child, i));
      const part: Plan = {
        ...plan,
        sessions: share(plan.sessions),
        count: plan.count === undefined ? undefined : share(plan.count),
        rate: plan.rate / plan.workers,
      };
      child.send({ kind: 'plan', plan: part, first: i * 1_000_000_000 } satisfies Order);
    }
    this.report = Promise.all(done).then(() => {
      const seconds = (performance.now() - this.#began) / 1000;
      for (const child of this.#children) child.disconnect();
      return this.#summary(seconds);
    });
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** So far. */
  get tally(): Tally {
    const all = new Tally();
    for (const each of this.#tallies) if (each !== undefined) all.merge(each);
    return all;
  }

  /** 0 to 1; undefined when there is no end to come nearer to. */
  get progress(): number | undefined {
    const { count, seconds } = this.#plan;
    const byCount = count === undefined ? 0 : this.tally.sent / count;
    const byTime = seconds === undefined ? 0 : this.seconds / seconds;
    return count === undefined && seconds === undefined ? undefined : Math.min(1, Math.max(byCount, byTime));
  }

  /** Ends it before its time. */
  end(): void {
    this.#order({ kind: 'end' });
    setTimeout(() => this.#order({ kind: 'stop' }), GRACE).unref();
  }

  #order(order: Order): void {
    for (const child of this.#children) if (child.connected) child.send(order);
  }

  #follow(child: ChildProcess, index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      child.on('message', (report: Report) => {
        this.#tallies[index] = report.tally;
        const now = this.tally;
        if (now.open >= this.#most.open) this.#most = now;
        if (report.done) resolve();
      });
      child.on('error', reject);
      child.on('exit', (code) => {
        if (code !== 0) reject(new Error(`a worker ended with ${code}`));
        resolve();
      });
      const { seconds } = this.#plan;
      if (seconds !== undefined) setTimeout(() => this.#order({ kind: 'stop' }), seconds * 1000 + GRACE).unref();
    });
  }

  #summary(seconds: number): LoadReport {
    const tally = this.tally;
    return {
      seconds,
      connections: tally.connections,
      resumed: tally.resumed,
      openAtEnd: this.#most.open,
      sent: tally.sent,
      accepted: tally.accepted,
      acceptedRecipients: tally.acceptedRecipients,
      rate: tally.accepted / seconds,
      megabytesPerSecond: tally.bytes / 1e6 / seconds,
      lost: tally.lost,
      refused: tally.refused,
      errors: tally.errors,
      latency: Object.fromEntries(
        timed
          .filter((name) => tally.times[name].count > 0)
          .map((name) => {
            const times = tally.times[name];
            return [name, { p50: times.at(0.5), p95: times.at(0.95), p99: times.at(0.99), most: times.most }];
          }),
      ),
    };
  }
}

function inWords(report: LoadReport, plan: Plan): string {
  const count = (value: number): string => Math.round(value).toLocaleString('en-US');
  const list = (counts: Readonly<Record<string, number>>): readonly string[] =>
    Object.entries(counts)
      .sort(([, one], [, other]) => other - one)
      .map(([what, times]) => `  ${what.padEnd(36)}${count(times).padStart(12)}`);
  const seconds = `${report.seconds.toFixed(1)} s`;
  const lines =
    plan.hostile === undefined
      ? [
          `${count(report.accepted)} of ${count(report.sent)} messages accepted in ${seconds}: ${count(report.rate)}/s, ${report.megabytesPerSecond.toFixed(1)} MB/s, ${count(report.acceptedRecipients)} recipients`,
          `${count(report.connections)} connections${report.resumed > 0 ? `, ${count(report.resumed)} TLS sessions resumed` : ''}${report.lost > 0 ? `, ${count(report.lost)} messages lost with theirs` : ''}`,
        ]
      : [
          `${count(report.connections)} connections in ${seconds}, at most ${count(report.openAtEnd)} at a time, ${count(report.lost)} ended by the server`,
        ];
  if (Object.keys(report.refused).length > 0) lines.push('refused', ...list(report.refused));
  if (Object.keys(report.errors).length > 0) lines.push('errors', ...list(report.errors));
  if (Object.keys(report.latency).length > 0)
    lines.push(
      `${'ms'.padEnd(14)}${['p50', 'p95', 'p99', 'longest'].map((word) => word.padStart(11)).join('')}`,
      ...Object.entries(report.latency).map(
        ([name, { p50, p95, p99, most }]) =>
          `${name.padEnd(14)}${[p50, p95, p99, most].map((value) => value.toFixed(value < 10 ? 2 : 1).padStart(11)).join('')}`,
      ),
    );
  return lines.join('\n');
}

/** Standard error, so that a report can be piped. */
function showProgress(load: Load, plan: Plan): Disposable {
  const tty = process.stderr.isTTY;
  let last = 0;
  const timer = setInterval(
    () => {
      const { tally, seconds, progress } = load;
      const done = plan.hostile === undefined ? tally.accepted : tally.connections;
      const rate = (done - last) / (tty ? 1 : 5);
      last = done;
      const left = progress === undefined || progress === 0 ? undefined : (seconds / progress) * (1 - progress);
      const line = `[${seconds.toFixed(0)} s${left === undefined ? '' : `, ${Math.ceil(left)} s to go`}] ${done} ${plan.hostile === undefined ? 'accepted' : 'connections'}, ${rate.toFixed(0)}/s, ${tally.open} open, ${tally.refusals} refused, ${tally.failures} errors`;
      process.stderr.write(tty ? `\r\x1b[K${line}` : `${line}\n`);
    },
    tty ? 1000 : 5000,
  );
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (tty) process.stderr.write('\r\x1b[K');
    },
  };
}

if (import.meta.main) {
  let plan: Plan;
  try {
    const read = planOf(process.argv.slice(2));
    if (read === 'help') {
      console.log(help);
      process.exit(0);
    }
    plan = read;
  } catch (error) {
    console.error(`load: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
  const load = new Load(plan);
  let interrupts = 0;
  process.on('SIGINT', () => (++interrupts > 1 ? process.exit(130) : load.end()));
  process.on('SIGTERM', () => load.end());
  const shown = showProgress(load, plan);
  const report = await load.report;
  shown[Symbol.dispose]();
  process.stdout.write(`${plan.json ? JSON.stringify(report) : inWords(report, plan)}\n`);
  const wrong =
    Object.keys(report.errors).length > 0 || (plan.hostile === undefined && !plan.noMail && report.accepted === 0);
  process.exitCode = wrong ? 1 : 0;
}
