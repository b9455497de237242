import { expect, test } from 'vitest';
import { page } from '../../bench/load/page.ts';
import { bars, lines, scaleTo, short } from '../../bench/load/plot.ts';
import { median, type Results, ratio, targets } from '../../bench/load/results.ts';
import type { Measured } from '../../bench/load/round.ts';
import type { Mode, WorkloadName } from '../../bench/load/workloads.ts';

const run = (
  mta: string,
  workload: WorkloadName,
  mode: Mode,
  rate: number,
  more: Partial<Measured> = {},
): Measured => ({
  mta,
  workload,
  mode,
  messages: 1000,
  intake: rate,
  relay: mode === 'relay' ? rate : undefined,
  fault: undefined,
  cpu: 0.15,
  cpuUser: 0.1,
  cpuSystem: 0.05,
  cpuTools: 0.1,
  residentMb: 120,
  ownMb: 80,
  processes: 1,
  foreign: 0,
  ...more,
});

const results: Results = {
  runs: [
    ...[5000, 9000, 6000].map((rate) => run('impetus', 'W1', 'relay', rate)),
    ...[500, 600, 700].map((rate) => run('postfix', 'W1', 'relay', rate)),
    run('impetus', 'W1', 'hold', 5000, { residentMb: 260 }),
    run('postfix', 'W1', 'hold', 1000, { fault: 'smtp-source | ended with 1' }),
  ],
  latencies: [
    {
      mta: 'impetus',
      workload: 'W1',
      share: 0.7,
      paced: { messages: 100, rate: 4200, late: 0.01, p50: 1, p90: 2, p99: 12.34, p999: 40, most: 50 },
    },
  ],
  ceilings: new Map([['W1', 12_345]]),
  failures: ['W1 hold, haraka: it ended with 1'],
};

const about = {
  date: '2026-03-03',
  machine: 'a machine',
  disk: 'a disk',
  versions: ['one', 'two'],
  command: 'npm run bench',
  counted: true,
};

test('a figure is the median of its runs, and a ratio one of medians in the same run', () => {
  expect(median([])).toBeUndefined();
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(ratio(results, 'W1', 'relay', 'postfix')).toBe(10);
  expect(ratio(results, 'W1', 'hold', 'postfix')).toBe(5);
  expect(ratio(results, 'W3', 'relay', 'postfix')).toBeUndefined();
});

test('each target says whether it was met, or not measured', () => {
  expect(targets(results).map(({ what, met }) => [what, met])).toEqual([
    ['W1 relay, times Postfix', true],
    ['W1 hold, times Postfix', false],
    ['W2 relay, times Postfix', undefined],
    ['W3 relay, times Postfix', undefined],
    ['W4 relay, times Postfix', undefined],
    ['W1 relay, ms of processor time a message', true],
    ['peak resident memory in any run, MB', false],
  ]);
});

test('the page has the targets, a row for each server, latency, failures, and the plots that it shows', () => {
  const { text, plots } = page(results, about, 'speed');
  expect(text).toContain('| W1 relay, times Postfix | at least 8 | 10.0 | met |');
  expect(text).toContain('| W1 hold, times Postfix | at least 10 | 5.0 | **not met** |');
  expect(text).toContain('| impetus | 3 × 1000 | 6,000 (5,000–9,000) | 6,000 (5,000–9,000) | 0.150 (0.100 + 0.050) |');
  expect(text).toContain('smtp-source / ended with 1');
  expect(text).toContain('| W1 | impetus | 4,200 | 70 % | 1.00 | 2.00 | 12.3 | 40.0 | 50.0 | 1.0 % |');
  expect(text).toContain('Not measured: W1 hold, haraka: it ended with 1.');
  const shown = [...text.matchAll(/\]\((speed-[a-z]+\.svg)\)/g)].map((match) => match[1]);
  expect(shown.sort()).toEqual([...plots.keys()].sort());
  expect(shown).toHaveLength(5);
});

test('a plot is well-formed, escapes what it is given, and leaves out what is not there', () => {
  const groups = [{ label: 'a<b', values: [1, undefined, 1200] }];
  const drawn = bars({ title: 'x & "y"', unit: 'z', series: ['p', 'q', 'r'], groups });
  expect(drawn).toContain('a&#60;b');
  expect(drawn).toContain('aria-label="x &#38; &#34;y&#34;"');
  expect(drawn.match(/<rect /g)).toHaveLength(1 + 3 + 2);
  expect(drawn.match(/<text /g)).toHaveLength(drawn.match(/<\/text>/g)?.length ?? 0);
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
  const line = lines({
    title: 't',
    xUnit: 'x',
    yUnit: 'y',
    series: [
      { label: 'none', points: [] },
      {
        label: 'some',
        points: [
          [0, 0],
          [5, 10],
        ],
      },
    ],
  });
  expect(line).not.toMatch(/NaN|undefined|Infinity/);
  expect(bars({ title: '', unit: '', series: [], groups: [] })).not.toMatch(/NaN|undefined|Infinity/);
});

test('an axis ends at a round number that nothing exceeds, in four to ten steps', () => {
  for (const value of [0.003, 0.2, 1, 7, 10, 99, 101, 1234, 5e6]) {
    const { most, steps } = scaleTo(value);
    expect(most).toBeGreaterThanOrEqual(value * (1 - 1e-9));
    expect(most).toBeLessThan(value * 2);
    expect(steps.length).toBeGreaterThanOrEqual(4);
    expect(steps.length).toBeLessThanOrEqual(10);
  }
  expect(scaleTo(0).most).toBe(1);
  expect([0.12345, 5, 1234, 56_789].map(short)).toEqual(['0.123', '5', '1,230', '56,800']);
});
