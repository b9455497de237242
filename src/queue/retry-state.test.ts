import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { readRetryState, writeRetryState } from './retry-state.ts';

test('retries and next attempts come back as they were written', () => {
  const states = [
    { recipient: 0, retries: 3, nextAttempt: millis(1_700_000_000_123) },
    { recipient: 70_000, retries: 65_535, nextAttempt: millis(5) },
  ];
  expect(readRetryState(writeRetryState(states))).toEqual(states);
});

test('a record that was cut or makes no sense loses only what it lost', () => {
  const bytes = writeRetryState([
    { recipient: 0, retries: 3, nextAttempt: millis(7) },
    { recipient: 1, retries: 3, nextAttempt: millis(Number.NaN) },
    { recipient: 2, retries: 3, nextAttempt: millis(9) },
  ]);
  expect(readRetryState(bytes.subarray(0, bytes.length - 1)).map((state) => state.recipient)).toEqual([0]);
  expect(readRetryState(bytes).map((state) => state.recipient)).toEqual([0, 2]);
});
