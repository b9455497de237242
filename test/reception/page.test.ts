import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { matches } from '../dialogues/script.ts';
import { WholeServer } from '../support/whole-server.ts';

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
    const [from, ...lines] = talk.trimEnd().split('\n');
    const server = await WholeServer.with(conf);
    const client = await server.connect('10.0.0.25:25', from?.replace('from ', '') ?? '');
    let expected: string[] = [];
    let heard = 0;
    const check = (): void => {
      const said = client.heard.slice(heard);
      if (!matches(said, expected)) expect(said.split('\r\n').slice(0, -1)).toEqual(expected);
      heard = client.heard.length;
      expected = [];
    };
    for (const line of lines) {
      if (line.startsWith('S: ')) {
        expected.push(line.slice(3));
        continue;
      }
      check();
      if (line.startsWith('C: ')) await client.says(line.slice(3));
      else if (line.startsWith('wait ')) await server.world.clock.advance(Number(line.slice(5)) * 1000);
      else expect([line, client.state]).toEqual(['closed', 'closed']);
    }
    check();
    expect(client.state).toBe(lines.includes('closed') ? 'closed' : 'open');
  });
});
