import { expect, test } from 'vitest';
import { readRecipient } from './recipients.ts';

const address = 'ann@x.test';

test('options of a recipient are true or false, or not there', () => {
  const options = { open_tracking: false, click_tracking: null, other: 5 };
  expect(readRecipient({ address, options }).options).toEqual({ open_tracking: false });
  expect(readRecipient({ address, options: null }).options).toEqual({});
});

test('options of a recipient that are none are told, as everything else of him is', () => {
  expect(() => readRecipient({ address, options: true })).toThrow('options of ann@x.test must be an object');
  expect(() => readRecipient({ address, options: [] })).toThrow('options of ann@x.test must be an object');
  expect(() => readRecipient({ address, options: { initial_open: 'no' } })).toThrow(
    'options.initial_open of ann@x.test must be true or false',
  );
});
