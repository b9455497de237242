import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WholeServer } from '../support/whole-server.ts';
import { goesAsItStands } from './talk.ts';

const page = readFileSync(new URL('../../docs/reception.md', import.meta.url), 'utf8');

/** Each configuration of the page with the conversations under it. */
const examples: { readonly conf: string; readonly talks: string[] }[] = [];
for (const [, language = '', text = ''] of page.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
  if (language === 'conf') examples.push({ conf: text, talks: [] });
  else examples.at(-1)?.talks.push(text);
}

test('the page has conversations under each configuration', () => {
  expect(examples.map(({ talks }) => talks.length)).toEqual([1, 2, 1]);
});

describe.each(examples.flatMap(({ conf, talks }) => talks.map((talk) => [conf, talk] as const)))('%s', (conf, talk) => {
  test('goes as it stands there', async () => {
    await goesAsItStands(await WholeServer.with(conf), '10.0.0.25:25', talk);
  });
});
