import { beforeEach, expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { SimClock } from '../world/sim/index.ts';
import { Sparing } from './sparing.ts';

let clock: SimClock;
let lines: string[];
let sparing: Sparing;

beforeEach(() => {
  clock = new SimClock();
  lines = [];
  sparing = new Sparing({ diagnose: (level, module, text) => void lines.push(`${level} ${module}: ${text}`) }, clock);
});

test('the first line of a kind is told at once, and the rest of its second in one line with their number', async () => {
  for (let i = 1; i <= 1000; i++) sparing.tell('accept', 'ERROR', 'listener', `no file for connection ${i}`);
  expect(lines).toEqual(['ERROR listener: no file for connection 1']);
  await clock.advance(millis(1000));
  expect(lines.slice(1)).toEqual(['ERROR listener: no file for connection 1000 (and 998 more like it)']);
  await clock.advance(millis(10_000));
  expect(lines).toHaveLength(2);
});

test('a flood of a minute is told in sixty lines, whose numbers add up to all of it', async () => {
  let told = 0;
  for (let at = 0; at < 60_000; at += 100, told += 7)
    for (let i = 0; i < 7; i++) {
      sparing.tell('flood', 'WARNING', 'reception', 'again');
      if (i === 6) await clock.advance(millis(100));
    }
  await clock.advance(millis(2000));
  expect(lines.length).toBeGreaterThan(55);
  expect(lines.length).toBeLessThanOrEqual(61);
  const sum = lines.reduce((all, line) => all + 1 + Number(/and (\d+) more/.exec(line)?.[1] ?? 0), 0);
  expect(sum).toBe(told);
});

test('kinds do not silence each other', () => {
  sparing.tell('one', 'ERROR', 'x', 'a');
  sparing.tell('two', 'ERROR', 'x', 'b');
  sparing.diagnose('ERROR', 'policy', 'c');
  sparing.diagnose('ERROR', 'other', 'd');
  expect(lines).toEqual(['ERROR x: a', 'ERROR x: b', 'ERROR policy: c', 'ERROR other: d']);
});

test('kinds without end share one line a second, and need no memory without end', async () => {
  for (let i = 0; i < 10_000; i++) sparing.tell(`kind ${i}`, 'ERROR', 'x', String(i));
  expect(lines).toHaveLength(201);
  await clock.advance(millis(1000));
  expect(lines.slice(201)).toEqual(['ERROR x: 9999 (and 9798 more like it)']);
});

test('what was held back is said at the end', () => {
  for (let i = 0; i < 3; i++) sparing.tell('one', 'ERROR', 'x', String(i));
  sparing[Symbol.dispose]();
  expect(lines).toEqual(['ERROR x: 0', 'ERROR x: 2 (and 1 more like it)']);
});

test('who is quiet for a second is told at once again', async () => {
  sparing.tell('one', 'ERROR', 'x', 'a');
  await clock.advance(millis(1500));
  sparing.tell('one', 'ERROR', 'x', 'b');
  expect(lines).toEqual(['ERROR x: a', 'ERROR x: b']);
});
