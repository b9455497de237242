import { bars, lines, short } from './plot.ts';
import { type Latency, median, medianRate, type Results, rateOf, ratio, runsOf, targets } from './results.ts';
import type { Measured } from './round.ts';
import { inWords, type Mode, type WorkloadName, workloads } from './workloads.ts';

/** What was run, where, and of which versions. */
export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  readonly disk: string;
  readonly versions: readonly string[];
  readonly command: string;
  /** Processor time of children and of the dead is counted. */
  readonly counted: boolean;
}

/** A page and the files that it shows, by name. */
export interface Page {
  readonly text: string;
  readonly plots: ReadonlyMap<string, string>;
}

/** @param prefix  of the names of the plots */
export function page(results: Results, about: Circumstances, prefix: string): Page {
  const plots = plotsOf(results, prefix);
  const picture = (name: string, alt: string): readonly string[] =>
    plots.has(`${prefix}-${name}.svg`) ? [`![${alt}](${prefix}-${name}.svg)`, ''] : [];
  const parts = [
    '# Speed',
    '',
    `Measured ${about.date}: ${about.versions.join(', ')}.`,
    `On ${about.machine}; queues on ${about.disk}.`,
    '',
    '```sh',
    about.command,
    '```',
    '',
    METHOD,
    ...(about.counted ? [] : ['', 'No control group could be made: processor time is that of living processes only.']),
    '',
    ...targetTable(results),
    ...results.failures.map((failure) => `Not measured: ${failure}.\n`),
    ...picture('relay', 'messages relayed a second'),
    ...picture('hold', 'messages queued a second'),
    ...picture('cpu', 'processor time a message'),
    ...picture('memory', 'peak resident memory'),
    ...runTables(results),
    ...latencyTable(results),
    ...picture('latency', 'time to the reply to the final dot'),
  ];
  return { text: `${parts.join('\n').trimEnd()}\n`, plots };
}

const METHOD = `smtp-source → server → smtp-sink, all on this machine and its processors. Each run begins with an empty queue, a new process
and a \`sync\`; servers take turns, and each figure is the median (lowest–highest) of its runs. *taken*: messages until the
source had its last 250, over that time; *relayed*: until the sink had the last one. Every server puts a message on the
disk before its 250, as it is shipped. Processor time is user and system time of all its processes; the kernel's work for
loopback in interrupts is in nobody's. Resident memory is the peak of the sum over its processes, which counts shared
pages in each. *other* is the share of all processors that programs outside the measurement took.`;

const modesIn = (results: Results): readonly Mode[] =>
  (['relay', 'hold'] as const).filter((mode) => results.runs.some((run) => run.mode === mode));
const workloadsIn = (results: Results): readonly WorkloadName[] =>
  (Object.keys(workloads) as WorkloadName[]).filter((name) => results.runs.some((run) => run.workload === name));
const serversIn = (results: Results): readonly string[] => [...new Set(results.runs.map((run) => run.mta))];

function targetTable(results: Results): readonly string[] {
  const word = { true: 'met', false: '**not met**', undefined: 'not measured' };
  return [
    '## Targets',
    '',
    '| | wanted | measured | |',
    '|---|---|--:|---|',
    ...targets(results).map(({ what, wanted, measured, met }) => {
      const figure = measured === undefined ? '–' : measured < 1 ? measured.toFixed(3) : measured.toFixed(1);
      return `| ${what} | ${wanted} | ${figure} | ${word[`${met}`]} |`;
    }),
    '',
  ];
}

function runTables(results: Results): readonly string[] {
  const peers = serversIn(results).filter((name) => name !== 'impetus');
  return workloadsIn(results).flatMap((name) => [
    `## ${name}: ${inWords(workloads[name])}`,
    '',
    ...(results.ceilings.has(name)
      ? [`The tools alone reach ${short(results.ceilings.get(name) ?? 0)} a second.`, '']
      : []),
    ...modesIn(results).flatMap((mode) => {
      const ratios = peers
        .map((peer) => [peer, ratio(results, name, mode, peer)] as const)
        .filter(([, times]) => times !== undefined)
        .map(([peer, times]) => `${(times ?? 0).toFixed(1)} times ${peer}`);
      return [
        `### ${name} ${mode}${ratios.length === 0 ? '' : `: ${ratios.join(', ')}`}`,
        '',
        '| | runs × messages | taken/s | relayed/s | CPU ms a message (user + system) | MB resident, own | processes | other | |',
        '|---|--:|--:|--:|--:|--:|--:|--:|---|',
        ...serversIn(results).flatMap((mta) => runRow(mta, runsOf(results, mta, name, mode))),
        '',
      ];
    }),
  ]);
}

function runRow(mta: string, runs: readonly Measured[]): readonly string[] {
  const first = runs[0];
  if (first === undefined) return [];
  const of = (value: (run: Measured) => number): number => median(runs.map(value)) ?? 0;
  const faults = [...new Set(runs.flatMap((run) => run.fault ?? []))];
  return [
    `| ${[
      mta,
      `${runs.length} × ${first.messages}`,
      spread(runs.map((run) => run.intake)),
      first.mode === 'relay' ? spread(runs.map((run) => run.relay ?? 0)) : '',
      `${of((run) => run.cpu).toFixed(3)} (${of((run) => run.cpuUser).toFixed(3)} + ${of((run) => run.cpuSystem).toFixed(3)})`,
      `${of((run) => run.residentMb).toFixed(0)}, ${of((run) => run.ownMb).toFixed(0)}`,
      of((run) => run.processes).toFixed(0),
      runs.map((run) => `${(run.foreign * 100).toFixed(0)} %`).join(' '),
      faults.join('; ').replaceAll('|', '/').replaceAll('\n', ' '),
    ].join(' | ')} |`,
  ];
}

const spread = (values: readonly number[]): string =>
  `${short(median(values) ?? 0)} (${short(Math.min(...values))}–${short(Math.max(...values))})`;

function latencyTable({ latencies }: Results): readonly string[] {
  if (latencies.length === 0) return [];
  const millis = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
  return [
    '## Time to the reply to the final dot',
    '',
    'From the write of text and dot to the 250, in ms, while messages come by the clock at a share of the best relay rate.',
    '',
    '| | | messages/s | share | p50 | p90 | p99 | p99.9 | longest | sent late |',
    '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...latencies.map(
      ({ mta, workload, share, paced }) =>
        `| ${[
          workload,
          mta,
          short(paced.rate),
          `${(share * 100).toFixed(0)} %`,
          ...[paced.p50, paced.p90, paced.p99, paced.p999, paced.most].map(millis),
          `${(paced.late * 100).toFixed(1)} %`,
        ].join(' | ')} |`,
    ),
    '',
  ];
}

function plotsOf(results: Results, prefix: string): ReadonlyMap<string, string> {
  const servers = serversIn(results);
  const names = workloadsIn(results);
  const plots = new Map<string, string>();
  const grouped = (
    name: string,
    title: string,
    unit: string,
    value: (mta: string, workload: WorkloadName) => number | undefined,
  ): void => {
    const groups = names.map((label) => ({ label, values: servers.map((mta) => value(mta, label)) }));
    if (groups.some(({ values }) => values.some((each) => each !== undefined)))
      plots.set(`${prefix}-${name}.svg`, bars({ title, unit, groups, series: servers }));
  };
  grouped('relay', 'Relayed', 'messages a second', (mta, name) => medianRate(results, mta, name, 'relay'));
  grouped('hold', 'Taken and queued', 'messages a second', (mta, name) => medianRate(results, mta, name, 'hold'));
  const relayed = (value: (run: Measured) => number) => (mta: string, name: WorkloadName) =>
    median(
      runsOf(results, mta, name, 'relay')
        .filter((run) => rateOf(run) > 0)
        .map(value),
    );
  grouped(
    'cpu',
    'Processor time a relayed message',
    'ms',
    relayed((run) => run.cpu),
  );
  grouped(
    'memory',
    'Peak resident memory while relaying, sum of all processes',
    'MB',
    relayed((run) => run.residentMb),
  );
  if (results.latencies.length > 0) plots.set(`${prefix}-latency.svg`, latencyPlot(results.latencies));
  return plots;
}

/** Percentiles on an axis of nines. */
function latencyPlot(latencies: readonly Latency[]): string {
  const marks = [0.5, 0.9, 0.99, 0.999].map((share) => ({ at: -Math.log10(1 - share), label: `p${share * 100}` }));
  const at = (index: number): number => marks[index]?.at ?? 0;
  return lines({
    title: 'Reply to the final dot',
    xUnit: 'share of the replies that came sooner',
    yUnit: 'ms',
    marks,
    series: latencies.map(({ mta, workload, paced }) => ({
      label: `${mta} ${workload}`,
      points: [paced.p50, paced.p90, paced.p99, paced.p999].map((value, index) => [at(index), value] as const),
    })),
  });
}
