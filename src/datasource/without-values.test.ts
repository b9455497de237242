import { expect, test } from 'vitest';
import { withoutValues } from './without-values.ts';

test.each([
  ['invalid input syntax for type integer: "pw1"', ['pw1'], 'invalid input syntax for type integer: "…"'],
  ["Incorrect integer value: 'pw1' for column a", ['pw1', 'a'], "Incorrect integer value: '…' for column a"],
  ['near longpassword: syntax', ['longpassword'], 'near …: syntax'],
  ['value "a b c d e f" is none', ['a\tb  c\nd e f'], 'value "…" is none'],
  [`value "${'x'.repeat(480)}`, ['x'.repeat(8000)], 'value "…'],
  ['column "p" does not exist', ['q', ''], 'column "p" does not exist'],
  ['column p does not exist', ['p'], 'column p does not exist'],
])('%s', (text, values, shown) => {
  const parameters = new Map<string, string | null>(values.map((value, at) => [`p${at}`, value]));
  expect(withoutValues(text, parameters.set('none', null))).toBe(shown);
});
