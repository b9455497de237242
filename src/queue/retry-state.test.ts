import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { reply } from '../smtp/index.ts';
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

test('what was decided comes back, and what an older version makes of it is about nobody', () => {
  const decided = { said: reply(554, undefined, 'manually failed: Grüße'), expired: false, quiet: true };
  const states = [
    { recipient: 0, retries: 3, nextAttempt: millis(7) },
    { recipient: 2, retries: 0, nextAttempt: millis(8), decided },
  ];
  const bytes = writeRetryState(states);
  expect(readRetryState(bytes)).toEqual(states);
  // Cut in the middle of it, the entries are left.
  expect(readRetryState(bytes.subarray(0, bytes.length - 1)).map(({ recipient }) => recipient)).toEqual([0, 2]);
  const view = new DataView(bytes.buffer);
  for (let at = 3 * 14; at + 14 <= bytes.length; at += 14) expect(view.getUint32(at, true)).toBeGreaterThan(2 ** 24);
});
