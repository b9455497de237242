/** One measured value, and the labels that tell it from others of its family. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Prometheus' text format, version 0.0.4. */
export function expositionText(families: readonly Family[]): string {
  let text = '';
  for (const { name, type, help, samples } of families) {
    text += `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value, suffix = '' } of samples)
      text += `${name}${suffix}${labelText(labels)} ${number(value)}\n`;
  }
  return text;
}

/** A histogram of counts that are not summed up yet: one for each bound, and one beyond. */
export function histogram(bounds: readonly number[], counts: readonly number[], sum: number): readonly Sample[] {
  let total = 0;
  const buckets = counts.map((count, at): Sample => {
    total += count;
    const bound = bounds[at];
    return { suffix: '_bucket', labels: { le: bound === undefined ? '+Inf' : String(bound) }, value: total };
  });
  return [...buckets, { suffix: '_sum', value: sum }, { suffix: '_count', value: total }];
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const each = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return each.length === 0 ? '' : `{${each.join(',')}}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const number = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : value === Number.POSITIVE_INFINITY ? '+Inf' : String(value);
