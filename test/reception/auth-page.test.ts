import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WholeServer } from '../support/whole-server.ts';
import { goesAsItStands } from './talk.ts';

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
    const server = await WholeServer.with(conf);
    server.world.disk.put('/etc/impetus/users', users);
    await goesAsItStands(server, '10.0.0.25:587', talk);
    expect(server.told.join('\n')).not.toContain('secret');
  });
});
