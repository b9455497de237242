import type { Scratch } from '../end-to-end/harness.ts';
import type { Lie } from './mortal-disk.ts';
import { planOf } from './plan.ts';
import { Report } from './report.ts';
import { replay, Trial } from './trial.ts';

export interface Wanted {
  readonly seed: number;
  /** Number of the first round; they are planned by number. */
  readonly first: number;
  readonly rounds: number;
  /** So many rounds, then the queues are drained and all is compared. */
  readonly every: number;
  readonly lie?: Lie;
  /** Milliseconds in which the queues must drain. */
  readonly drainMillis?: number;
  progress?(done: number): void;
}

export interface Outcome {
  readonly report: Report;
  /** Sentences; empty when all is well. */
  readonly faults: readonly string[];
  /** Command lines for the rounds since the last comparison, when there are faults. */
  readonly replays: readonly string[];
}

/** For some hundreds of messages, on a machine that has other work. */
const LONGEST_DRAIN = 60_000;

/** Rounds on one spool, up to the first comparison that finds a fault. */
export async function crashes(scratch: Scratch, wanted: Wanted): Promise<Outcome> {
  await using trial = await Trial.start(scratch, wanted.seed, wanted.lie);
  const report = new Report();
  let recent: string[] = [];
  const faults: string[] = [];
  for (let i = 0; i < wanted.rounds; i++) {
    const number = wanted.first + i;
    const plan = planOf(wanted.seed, number);
    const result = await trial.round(number, plan);
    report.add(result);
    faults.push(...result.faults);
    recent.push(replay(wanted.seed, result));
    wanted.progress?.(i + 1);
    if ((i + 1) % wanted.every !== 0 && i + 1 < wanted.rounds) continue;
    const drained = await trial.drain(number, wanted.drainMillis ?? LONGEST_DRAIN);
    report.judge(drained);
    faults.push(...drained.lost.map((recipient) => `lost: ${recipient}`), ...drained.faults, ...drained.complaints);
    if (faults.length > 0) return { report, faults, replays: recent };
    recent = [];
  }
  return { report, faults, replays: [] };
}
