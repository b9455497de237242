import { expect, test } from 'vitest';
import { millis } from '../../base/index.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { emptyStanza, ROOT_STEP } from '../tree/stanza.ts';
import { HISTORY_LIMITS, History, type Past } from './history.ts';

const past = (number: number): Past => ({
  number,
  date: millis(0),
  origin: { kind: 'reload', file: '/etc/x' },
  who: '',
  differences: 0,
  tree: emptyStanza(undefined, ROOT_STEP, BUILT_IN),
});

const numbers = (history: History): readonly number[] => history.all.map(({ number }) => number);

test('as many generations are kept as the limit says, and one more lets the oldest go', () => {
  const history = new History();
  for (let number = 1; number <= HISTORY_LIMITS.generations; number++) history.add(past(number), 1);
  expect(numbers(history)).toHaveLength(HISTORY_LIMITS.generations);
  history.add(past(101), 1);
  expect([history.all.length, history.find(1), history.find(2)?.number, history.find(101)?.number]).toEqual([
    HISTORY_LIMITS.generations,
    undefined,
    2,
    101,
  ]);
});

test('of very large generations fewer are kept, and always the live one', () => {
  const history = new History({ generations: 9, stanzas: 10 });
  history.add(past(1), 0);
  history.add(past(2), 4);
  history.add(past(3), 6);
  expect(numbers(history)).toEqual([1, 2, 3]);
  history.add(past(4), 1);
  expect(numbers(history)).toEqual([2, 3, 4]);
  history.add(past(5), 99);
  expect(numbers(history)).toEqual([5]);
});
