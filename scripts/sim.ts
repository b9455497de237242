/**
 * `npm run sim -- [--seed N [--verbose] | --seeds N | --hours N] [--from N] [--jobs N] [--first]`: the whole server in a
 * simulated world. One seed is one world, and the same seed is the same world; `--first` ends with the first seed that
 * fails. Exit code 0 when no rule was broken.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Figures, simulate } from '../test/sim/simulation.ts';

/** What a worker says of one seed. */
interface Report {
  readonly seed: number;
  readonly violations: readonly { readonly rule: string; readonly what: string }[];
  readonly figures: Figures;
  readonly digest: string;
}

const usage = 'npm run sim -- [--seed N [--verbose] | --seeds N | --hours N] [--from N] [--jobs N] [--first]';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    hours: { type: 'string' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    verbose: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function one(seed: number, verbose: boolean): Promise<void> {
  const result = await simulate(seed, verbose ? (line) => console.log(printable(line)) : undefined);
  const { violations, journal, figures } = result;
  console.log(`seed ${seed}: ${inWords(figures)}; ${journal.lines.length} lines, ${journal.digest.slice(0, 16)}`);
  if (violations.length === 0) return;
  if (!verbose) for (const line of journal.lines.slice(-25)) console.log(printable(line));
  tell({ seed, violations, figures, digest: journal.digest });
  process.exitCode = 1;
}

/** Runs what the parent sends, seed by seed. */
function work(): void {
  process.on('message', (seed: number) => {
    void simulate(seed).then(({ violations, figures, journal }) => {
      process.send?.({ seed, violations, figures, digest: journal.digest } satisfies Report);
    });
  });
  process.on('disconnect', () => process.exit(0));
}

async function many(): Promise<void> {
  const hours = values.hours === undefined ? undefined : Number(values.hours);
  const first = Number(values.from);
  const count = hours === undefined ? Number(values.seeds ?? 100) : Number.POSITIVE_INFINITY;
  const ends = hours === undefined ? Number.POSITIVE_INFINITY : performance.now() + hours * 3_600_000;
  if (!(count > 0) || !Number.isFinite(first)) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const progress = new Progress(count, ends);
  const failed: Report[] = [];
  let next = first;
  const jobs = Math.max(1, Math.min(Number(values.jobs), count));
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      const goesOn = (): boolean =>
        next < first + count && performance.now() < ends && !(values.first && failed.length > 0);
      for (let worker: ChildProcess | undefined; goesOn(); ) {
        worker ??= fork(import.meta.filename, ['--worker']);
        const seed = next++;
        const report = await answer(worker, seed);
        if (report.violations.length > 0) {
          failed.push(report);
          progress.clear();
          tell(report);
        }
        progress.add(report);
        if (goesOn()) continue;
        worker.disconnect();
        worker = undefined;
      }
    }),
  );
  progress.clear();
  console.log(progress.summary(failed.length));
  if (failed.length > 0) process.exitCode = 1;
}

function answer(worker: ChildProcess, seed: number): Promise<Report> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`the worker ended with ${code} in seed ${seed}`));
    worker.once('exit', gone);
    worker.once('message', (report: Report) => {
      worker.off('exit', gone);
      resolve(report);
    });
    worker.send(seed);
  });
}

function tell({ seed, violations }: Report): void {
  for (const { rule, what } of violations) console.log(`seed ${seed} breaks ${rule}: ${printable(what)}`);
  console.log(`  replay: npm run sim -- --seed ${seed} --verbose`);
}

/** What has been simulated, on a line of its own on a terminal. */
class Progress {
  readonly #count: number;
  readonly #ends: number;
  readonly #began = performance.now();
  #done = 0;
  #simulated = 0;
  #recipients = 0;
  #lives = 0;

  constructor(count: number, ends: number) {
    this.#count = count;
    this.#ends = ends;
  }

  add({ figures }: Report): void {
    this.#done++;
    this.#simulated += figures.simulatedSeconds;
    this.#recipients += figures.recipients;
    this.#lives += figures.lives;
    if (!process.stdout.isTTY) return;
    const elapsed = performance.now() - this.#began;
    const left = Number.isFinite(this.#count)
      ? (elapsed / this.#done) * (this.#count - this.#done)
      : this.#ends - performance.now();
    const all = Number.isFinite(this.#count) ? `/${this.#count}` : '';
    process.stdout.write(`\r${this.#done}${all} seeds, ${Math.ceil(left / 1000)} s left \x1b[K`);
  }

  clear(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }

  summary(failed: number): string {
    const seconds = (performance.now() - this.#began) / 1000;
    return (
      `${this.#done} seeds, ${failed} failed, in ${seconds.toFixed(1)} s: ${this.#recipients} recipients, ` +
      `${this.#lives} lives of the server, ${(this.#simulated / 3600).toFixed(1)} simulated hours`
    );
  }
}

function inWords(figures: Figures): string {
  const { recipients, acknowledged, arrivals, bounces, deferrals, lives, simulatedSeconds } = figures;
  return (
    `${recipients} recipients, ${acknowledged} acknowledged, ${arrivals} arrivals, ${bounces} bounces, ` +
    `${deferrals} deferrals, ${lives} lives, ${simulatedSeconds} simulated seconds`
  );
}

/** Peers say what they like; a terminal gets letters only. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\n]/g, '?');
}

if (values.help) console.log(usage);
else if (values.worker) work();
else if (values.seed !== undefined) await one(Number(values.seed), values.verbose);
else await many();
