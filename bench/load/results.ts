import type { Paced } from './paced.ts';
import type { Measured } from './round.ts';
import type { Mode, WorkloadName } from './workloads.ts';

/** Latency of one server at a part of its best rate. */
export interface Latency {
  readonly mta: string;
  readonly workload: WorkloadName;
  /** Share of the best relay rate, 0 to 1. */
  readonly share: number;
  readonly paced: Paced;
}

/** All that a page is made of. */
export interface Results {
  readonly runs: readonly Measured[];
  readonly latencies: readonly Latency[];
  /** The tools alone: messages a second straight from source to sink. */
  readonly ceilings: ReadonlyMap<WorkloadName, number>;
  /** Runs that could not be made, in words. */
  readonly failures: readonly string[];
}

/** @returns the middle one, or the mean of the two in the middle; undefined of nothing */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}

export function runsOf(results: Results, mta: string, workload: WorkloadName, mode: Mode): readonly Measured[] {
  return results.runs.filter((run) => run.mta === mta && run.workload === workload && run.mode === mode);
}

/** Messages a second that count in that mode: delivered, or taken. */
export const rateOf = (run: Measured): number => (run.mode === 'relay' ? (run.relay ?? 0) : run.intake);

export function medianRate(results: Results, mta: string, workload: WorkloadName, mode: Mode): number | undefined {
  return median(runsOf(results, mta, workload, mode).map(rateOf));
}

/** How often as fast as another one, in the same run. */
export function ratio(results: Results, workload: WorkloadName, mode: Mode, than: string): number | undefined {
  const ours = medianRate(results, 'impetus', workload, mode);
  const theirs = medianRate(results, than, workload, mode);
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
}

/** What the plan of speed asks for, and what was measured. */
export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: number | undefined;
  /** undefined: not measured in this run. */
  readonly met: boolean | undefined;
}

/** Ratios against Postfix; `aim` is what would be better still. */
const RATIOS: readonly { workload: WorkloadName; mode: Mode; least: number; aim?: number }[] = [
  { workload: 'W1', mode: 'relay', least: 8 },
  { workload: 'W1', mode: 'hold', least: 10 },
  { workload: 'W2', mode: 'relay', least: 2.5, aim: 3 },
  { workload: 'W3', mode: 'relay', least: 10 },
  { workload: 'W4', mode: 'relay', least: 2.5, aim: 3 },
];
const MOST_CPU_MS = 0.2;
const MOST_RESIDENT_MB = 250;

export function targets(results: Results): readonly Target[] {
  const ours = results.runs.filter((run) => run.mta === 'impetus');
  const cpu = median(runsOf(results, 'impetus', 'W1', 'relay').map((run) => run.cpu));
  const resident = ours.length === 0 ? undefined : Math.max(...ours.map((run) => run.residentMb));
  return [
    ...RATIOS.map(({ workload, mode, least, aim }): Target => {
      const measured = ratio(results, workload, mode, 'postfix');
      return {
        what: `${workload} ${mode}, times Postfix`,
        wanted: `at least ${least}${aim === undefined ? '' : `, aim ${aim}`}`,
        measured,
        met: measured === undefined ? undefined : measured >= least,
      };
    }),
    {
      what: 'W1 relay, ms of processor time a message',
      wanted: `at most ${MOST_CPU_MS.toFixed(2)}`,
      measured: cpu,
      met: cpu === undefined ? undefined : cpu <= MOST_CPU_MS,
    },
    {
      what: 'peak resident memory in any run, MB',
      wanted: `under ${MOST_RESIDENT_MB}`,
      measured: resident,
      met: resident === undefined ? undefined : resident < MOST_RESIDENT_MB,
    },
  ];
}
