import { expect, test } from 'vitest';
import { samplesOf } from '../../test/support/prometheus.ts';
import { expositionText, histogram } from './exposition.ts';

test('a family is its help, its type and its samples; what would end a label is escaped', () => {
  const text = expositionText([
    {
      name: 'impetus_things_total',
      type: 'counter',
      help: 'Things\nof \\ any kind.',
      samples: [{ value: 3 }, { labels: { domain: 'a"b\\c\nd', kind: 'x' }, value: 0.5 }],
    },
  ]);
  expect(text).toBe(
    [
      '# HELP impetus_things_total Things\\nof \\\\ any kind.',
      '# TYPE impetus_things_total counter',
      'impetus_things_total 3',
      'impetus_things_total{domain="a\\"b\\\\c\\nd",kind="x"} 0.5',
      '',
    ].join('\n'),
  );
});

test('numbers of every size are numbers to Prometheus', () => {
  const values = [0, 1e21, 1e-7, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER];
  for (const value of values) {
    const text = expositionText([{ name: 'a', type: 'gauge', help: 'x', samples: [{ value }] }]);
    expect(samplesOf(text).get('a')).toBe(value);
  }
});

test('the buckets of a histogram are summed up, and the last one is all', () => {
  const samples = samplesOf(
    expositionText([{ name: 'a', type: 'histogram', help: 'x', samples: histogram([1, 5], [2, 0, 3], 17.5) }]),
  );
  expect([...samples]).toEqual([
    ['a_bucket{le="1"}', 2],
    ['a_bucket{le="5"}', 2],
    ['a_bucket{le="+Inf"}', 5],
    ['a_sum', 17.5],
    ['a_count', 5],
  ]);
});
