import { expect } from 'vitest';
import { matches } from '../dialogues/script.ts';
import type { WholeServer } from '../support/whole-server.ts';

/**
 * Holds a conversation as a page has it: `from ADDRESS`, then `C: ` what the client says, `S: ` what it must hear,
 * `wait SECONDS`, and `closed` when the server hangs up.
 */
export async function goesAsItStands(server: WholeServer, to: string, talk: string): Promise<void> {
  const [from, ...lines] = talk.trimEnd().split('\n');
  const client = await server.connect(to, from?.replace('from ', '') ?? '');
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
}
