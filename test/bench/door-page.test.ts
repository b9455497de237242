import { expect, test } from 'vitest';
import { type Answer, doorPage } from '../../bench/load/door-page.ts';

const about = { date: '2026-11-25', machine: 'a machine', version: '0.1.0', command: 'npm run bench:doors' };
const answer: Answer = {
  name: 'acl',
  what: 'W1 behind guards',
  wanted: 'at most 3 % more',
  measured: 0.01,
  shown: '+1.0 %',
  met: true,
  rows: [
    { label: 'without', unit: 'ms', values: [3, 1, 2] },
    { label: 'with', unit: 'ms', values: [2.02] },
    { label: 'with', unit: 'messages a second', values: [12_345] },
  ],
};

test('a page shows each answer with its target, medians and runs, and a plot of what can be compared', () => {
  const { text, plots } = doorPage([answer], about, 'doors');
  expect(text).toContain('| W1 behind guards | at most 3 % more | +1.0 % | met |');
  expect(text).toContain('| without | ms | 2 | 3 1 2 |');
  expect(text).toContain('| with | messages a second | 12,345 | 12,345 |');
  expect(text).toContain('![W1 behind guards](doors-acl.svg)');
  expect([...plots.keys()]).toEqual(['doors-acl.svg']);
  expect(plots.get('doors-acl.svg')).toContain('<svg');
});

test('what was not measured says why, and what was missed is not hidden', () => {
  const note = 'Not measured: this server offers no STARTTLS.';
  const { text, plots } = doorPage(
    [
      { ...answer, name: 'tls', measured: undefined, shown: '–', met: undefined, note, rows: [] },
      { ...answer, met: false },
      { ...answer, what: 'slow', met: 'open' },
    ],
    about,
    'doors',
  );
  expect(text).toContain('| at most 3 % more | – | not measured |');
  expect(text).toContain(note);
  expect(text).toContain('| +1.0 % | **not met** |');
  expect(text).toContain('| slow | at most 3 % more | +1.0 % | open |');
  expect(plots.size).toBe(1);
});
