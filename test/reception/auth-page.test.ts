import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { matches } from '../dialogues/script.ts';
import { WholeServer } from '../support/whole-server.ts';

const page = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, is, text = '']) => (is === language ? [text] : []));
const [conf = ''] = blocks('conf');
const [users = ''] = blocks('users');

test('the page has one configuration, one file and two conversations', () => {
  expect([blocks('conf'), blocks('users'), blocks('smtp')].map(({ length }) => length)).toEqual([1, 1, 2]);
});

describe.each(blocks('smtp'))('%s', (talk) => {
  test('goes as it stands there', async () => {
    const [from, ...lines] = talk.trimEnd().split('\n');
    const server = await WholeServer.with(conf);
    server.world.disk.put('/etc/impetus/users', users);
    const client = await server.connect('10.0.0.25:587', from?.replace('from ', '') ?? '');
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
    }
    check();
    expect(client.state).toBe(lines.includes('closed') ? 'closed' : 'open');
    expect(server.told.join('\n')).not.toContain('secret');
  });
});
