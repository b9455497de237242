import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, freePort, Running, run, type Scratch } from '../end-to-end/harness.ts';
import { Chance } from './chance.ts';
import type { Orders } from './entry.ts';
import { readEvidence } from './evidence.ts';
import { Judge, type Verdict } from './judge.ts';
import { LARGE_BYTES } from './letters.ts';
import { startLoad } from './load.ts';
import type { Lie } from './mortal-disk.ts';
import { inWords, type Plan } from './plan.ts';
import { CountingSink } from './sink.ts';

/** Longest life that is given to a planned kill; then it is killed all the same, and the round counts as missed. */
const LONGEST_LIFE = 6000;
const SESSIONS = 12;
/** Milliseconds between two messages of one session: some 500 messages a second together. */
const REST = 15;
const SEGMENT_BYTES = 512 * 1024;
const SETTLE_MILLIS = 200;
/** Done records wait for company no longer than 50 ms; the rest is for a disk and two cores that have other work. */
const LONGEST_OPEN = 2000;

export interface RoundResult {
  readonly round: number;
  readonly plan: Plan;
  /** The process died where it was meant to. */
  readonly reached: boolean;
  readonly acknowledged: number;
  /** Milliseconds that the oldest delivery was known to the server and not on disk when it died. */
  readonly longestOpen: number;
  readonly faults: readonly string[];
}

export interface DrainResult extends Verdict {
  /** What the server itself had to complain about, and what it left behind. */
  readonly complaints: readonly string[];
}

/** A spool that lives through many lives of a server. */
export class Trial implements AsyncDisposable {
  readonly #directory: string;
  readonly #sink: CountingSink;
  readonly #port: number;
  readonly #seed: number;
  readonly #lie: Lie | undefined;
  readonly #judge = new Judge();
  #running: Running | undefined;
  #heard = 0;
  #complained = 0;

  private constructor(directory: string, sink: CountingSink, port: number, seed: number, lie: Lie | undefined) {
    this.#directory = directory;
    this.#sink = sink;
    this.#port = port;
    this.#seed = seed;
    this.#lie = lie;
  }

  static async start(scratch: Scratch, seed: number, lie?: Lie): Promise<Trial> {
    await mkdir(join(scratch.path, 'log'), { recursive: true });
    const trial = new Trial(scratch.path, await CountingSink.start(seed), await freePort(), seed, lie);
    trial.#configure();
    return trial;
  }

  /** One life under load, to its planned end. */
  async round(round: number, plan: Plan): Promise<RoundResult> {
    const began = performance.now();
    let acknowledged = 0;
    const running = this.#launch(round, plan);
    const ready = await this.#ready(running);
    const load = startLoad({
      port: this.#port,
      round,
      sessions: ready ? SESSIONS : 0,
      rest: REST,
      chance: new Chance(this.#seed, round, 7),
      begun: (letter) => this.#judge.begun(letter),
      acknowledged: (letter) => {
        acknowledged++;
        this.#judge.acknowledged(letter);
      },
    });
    const wait = plan.kind === 'moment' ? plan.afterMillis : LONGEST_LIFE - (performance.now() - began);
    const reached = (await Promise.race([running.ended.then(() => 'died' as const), slept(wait)])) === 'died';
    const killedAt = performance.timeOrigin + performance.now();
    running.signal('SIGKILL');
    const { errors } = await running.ended;
    await load.ended;
    const evidence = readEvidence(this.#evidence(round));
    this.#judge.ended(round, { killed: true, evidence });
    const diedAt = evidence.killedAt ?? killedAt;
    const longestOpen = Math.max(0, ...[...evidence.open.values()].map((heardAt) => diedAt - heardAt));
    const faults = errors === '' ? [] : [`round ${round}: the server said: ${errors.trim()}`];
    if (longestOpen > LONGEST_OPEN)
      faults.push(`round ${round}: a delivery was known for ${longestOpen.toFixed(0)} ms and not on disk`);
    if (plan.kind === 'moment' && evidence.killedAt !== undefined) faults.push(`round ${round}: it killed itself`);
    return {
      round,
      plan,
      reached: plan.kind === 'moment' || (reached && evidence.killedAt !== undefined),
      acknowledged,
      longestOpen,
      faults,
    };
  }

  /** A life without an end of its own: all that is left is delivered, the server stops in order, and all is compared. */
  async drain(after: number, mostMillis: number): Promise<DrainResult> {
    // Lives have the numbers of their rounds; this one stands between two.
    const round = after + 0.5;
    const running = this.#launch(round, { kind: 'moment', afterMillis: 0 });
    if (!(await this.#ready(running))) throw new Error(`the server does not start: ${(await running.ended).errors}`);
    const complaints: string[] = [];
    try {
      await eventually('the queues are empty', () => this.#isEmpty(), mostMillis);
    } catch (error) {
      complaints.push(String(error));
    }
    const ledger = await run('ec_console', [join(this.#directory, 'control'), 'ledger']);
    if (ledger.code !== 0) complaints.push(`the ledger does not balance: ${ledger.output}${ledger.errors}`);
    running.signal('SIGTERM');
    const ended = await running.ended;
    if (ended.code !== 0 || ended.errors !== '')
      complaints.push(`the server ended with ${ended.code}: ${ended.errors}`);
    this.#judge.ended(round, { killed: false, evidence: readEvidence(this.#evidence(round)) });
    this.#hear();
    return { ...this.#judge.close(after), complaints: [...complaints, ...this.#complaints(), ...this.#leftovers()] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    await this.#sink[Symbol.asyncDispose]();
  }

  #launch(round: number, plan: Plan): Running {
    this.#sink.round = round;
    const orders: Orders = {
      configuration: join(this.#directory, 'impetus.conf'),
      evidence: this.#evidence(round),
      plan,
      segmentBytes: SEGMENT_BYTES,
      compactionSettleMillis: SETTLE_MILLIS,
      ...(this.#lie === undefined ? {} : { lie: this.#lie }),
    };
    const entry = join(import.meta.dirname, 'entry.ts');
    // The sources are stripped of their types once, not in every life.
    const cache = `NODE_COMPILE_CACHE=${join(this.#directory, 'compiled')}`;
    this.#running = new Running('env', [cache, process.execPath, entry, JSON.stringify(orders)]);
    return this.#running;
  }

  /** @returns false when it died before */
  async #ready(running: Running): Promise<boolean> {
    await eventually('the server is ready, or dead', () => running.over || running.output.includes('ready\n'));
    return !running.over;
  }

  #hear(): void {
    const { arrivals } = this.#sink;
    for (; this.#heard < arrivals.length; this.#heard++) this.#judge.arrived(arrivals[this.#heard]!);
  }

  async #isEmpty(): Promise<boolean> {
    this.#hear();
    if (this.#judge.missing().length > 0) return false;
    const before = this.#heard;
    const { output } = await run('ec_console', [join(this.#directory, 'control'), 'ledger']);
    this.#hear();
    return /^\s*Queued: +0$/m.test(output) && before === this.#heard;
  }

  #evidence(round: number): string {
    return join(this.#directory, `evidence-${round % 2}`);
  }

  /** Lines of the paniclog that no crash excuses. */
  #complaints(): readonly string[] {
    const text = readFileSync(join(this.#directory, 'log/paniclog.ec'), 'utf8');
    const fresh = text.slice(this.#complained).split('\n');
    this.#complained = text.length;
    return fresh.filter((line) => /CRITICAL|ERROR/.test(line));
  }

  /** Files in the spool that nothing speaks about any more. */
  #leftovers(): readonly string[] {
    const spool = join(this.#directory, 'spool/L0');
    const large = readdirSync(join(spool, 'large')).map((name) => `the body ${name} was left behind`);
    const segments = readdirSync(spool).filter((name) => name.endsWith('.seg'));
    return segments.length > 2 ? [...large, `of an empty queue ${segments.length} segments are left`] : large;
  }

  #configure(): void {
    const log = (name: string): string => `${name} = "${join(this.#directory, 'log', `${name}.ec`)}"`;
    writeFileSync(
      join(this.#directory, 'impetus.conf'),
      `
Spoolbase = "${join(this.#directory, 'spool')}"
Hostname = "impetus.test"
Relay_Hosts = ( 127.0.0.0/8 )
Gateway = "127.0.0.1"
Remote_SMTP_Port = ${this.#sink.port}
Retry_Interval = 1
Max_Retry_Interval = 1
Large_Message_Threshold = ${LARGE_BYTES}
ESMTP_Listener { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" ) Listen "127.0.0.1:${this.#port}" { } }
Control_Listener { Listen "${join(this.#directory, 'control')}" { } }
ec_logger { ${['mainlog', 'rejectlog', 'paniclog', 'acctlog'].map(log).join(' ')} }
bounce_logger { ${log('bouncelog')} }
`,
    );
  }
}

/** What a failure says about how to see it again. */
export function replay(seed: number, result: { readonly round: number; readonly plan: Plan }): string {
  return `npm run crash -- --seed ${seed} --first ${result.round} --rounds 1   # ${inWords(result.plan)}`;
}

const slept = (millis: number): Promise<'slept'> =>
  new Promise((resolve) => {
    setTimeout(() => resolve('slept'), Math.max(0, millis)).unref();
  });
