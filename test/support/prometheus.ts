/**
 * Reads Prometheus' text format, strictly: every family has its help and its type before its samples, once.
 *
 * @returns values by name and labels as they stand
 * @throws Error for anything else
 */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let family = '';
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line);
    if (help !== null) {
      family = help[1] ?? '';
      if (types.has(family)) throw new Error(`two families ${family}`);
      continue;
    }
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      if (type[1] !== family) throw new Error(`${line} stands in ${family}`);
      types.set(family, type[2] ?? '');
      continue;
    }
    const sample = /^([a-z_]+)(\{[a-z]+="[^"\n]*"(?:,[a-z]+="[^"\n]*")*\})? (\S+)$/.exec(line);
    const name = sample?.[1] ?? '';
    const suffixes = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => name === `${family}${suffix}`)) throw new Error(`${line} stands in ${family}`);
    if (types.get(family) === 'counter' && !name.endsWith('_total')) throw new Error(`${name} is a counter`);
    const key = `${name}${sample?.[2] ?? ''}`;
    const value = sample?.[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample?.[3]);
    if (samples.has(key) || Number.isNaN(value)) throw new Error(line);
    samples.set(key, value);
  }
  return samples;
}
