import { bars } from './plot.ts';
import { median } from './results.ts';

/** One question to the door, with the figures of its runs. */
export interface Answer {
  readonly name: string;
  readonly what: string;
  /** As it stands in the plan: `at most 3 % more`. */
  readonly wanted: string;
  /** What is compared; undefined when it could not be measured. */
  readonly measured: number | undefined;
  /** `measured` as the page shows it. */
  readonly shown: string;
  /** `open`: the figures lie on both sides of what is wanted, and the truth between them. */
  readonly met: boolean | 'open' | undefined;
  /** Why there is no figure, or what to know about it. */
  readonly note?: string;
  readonly rows: readonly Row[];
}

/** One side of a comparison: the same figure of each run. */
export interface Row {
  readonly label: string;
  readonly unit: string;
  readonly values: readonly number[];
}

export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  readonly version: string;
  readonly command: string;
}

export function doorPage(
  answers: readonly Answer[],
  about: Circumstances,
  prefix: string,
): { readonly text: string; readonly plots: ReadonlyMap<string, string> } {
  const plots = new Map<string, string>();
  const word = { true: 'met', false: '**not met**', open: 'open', undefined: 'not measured' };
  const sections = answers.flatMap((answer) => {
    const { name, what, note, rows } = answer;
    const plot = plotOf(answer);
    if (plot !== undefined) plots.set(`${prefix}-${name}.svg`, plot);
    return [
      `## ${what}`,
      '',
      ...(note === undefined ? [] : [note, '']),
      ...(rows.length === 0
        ? []
        : [
            '| | | median | runs |',
            '|---|---|--:|--:|',
            ...rows.map(
              ({ label, unit, values }) =>
                `| ${label} | ${unit} | ${figure(median(values) ?? 0)} | ${values.map(figure).join(' ')} |`,
            ),
            '',
          ]),
      ...(plot === undefined ? [] : [`![${what}](${prefix}-${name}.svg)`, '']),
    ];
  });
  const parts = [
    '# The SMTP door under load and attack',
    '',
    `Measured ${about.date}: impetus ${about.version}, on ${about.machine}.`,
    '',
    '```sh',
    about.command,
    '```',
    '',
    METHOD,
    '',
    '| | wanted | measured | |',
    '|---|---|--:|---|',
    ...answers.map(({ what, wanted, shown, met }) => `| ${what} | ${wanted} | ${shown} | ${word[`${met}`]} |`),
    '',
    ...sections,
  ];
  return { text: `${parts.join('\n').trimEnd()}\n`, plots };
}

const METHOD = `The load is our own generator (\`npm run load\`), and both sides of a ratio are of this one run. Where processor time is compared, both
servers run at the same time and are sent the same number of messages a second, so that whatever else the machine does meets both, and
neither looks cheaper because its messages come closer together and share more writes and syncs; the figure is the median of the
runs' ratios. Elsewhere the sides take turns, and it is the ratio of their medians. Each run has new processes, empty queues, and some
seconds of load before it counts. Mail is taken and kept, not delivered: what a door costs is not hidden behind the rest. Processor time is
user and system time of the server; W1 is 10 KiB over 50 sessions.`;

const figure = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3)).toString();

/** Rows of the first row's unit; a plot of one bar says nothing. */
function plotOf({ what, rows }: Answer): string | undefined {
  const unit = rows[0]?.unit;
  const shown = rows.filter((row) => row.unit === unit);
  if (unit === undefined || shown.length < 2) return undefined;
  return bars({
    title: what,
    unit,
    series: ['median of the runs'],
    groups: shown.map(({ label, values }) => ({ label, values: [median(values)] })),
  });
}
