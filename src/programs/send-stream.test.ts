import { describe, expect, test } from 'vitest';
import { StreamHouse } from '../../test/ecstream/house.ts';
import { simProcess } from '../world/sim/index.ts';
import { sendProgram } from './send.ts';

async function run(house: StreamHouse, ...words: readonly string[]) {
  const process = simProcess();
  const all = ['--ecstream', '--server', '10.0.0.1:1825', ...words];
  const code = await house.until(sendProgram(house.world, process, all));
  return { code, said: process.said, complained: process.complained };
}

describe('impetus send --ecstream', () => {
  test('sends one message and shows its id', async () => {
    const house = await StreamHouse.with();
    const { code, said, complained } = await run(house, '--body', 'first\n.dot\n', '--subject', 'hi');
    expect([code, complained]).toEqual([0, '']);
    expect(said).toMatch(/^accepted as [0-9A-F/-]{20}\n$/);
    const [kept] = house.spool.kept;
    expect(kept?.body).toMatch(/\r\nSubject: hi\r\n[\s\S]*\r\n\r\nfirst\r\n\.dot\r\n$/);
    expect(kept?.traits.dots).toBe(true);
  });

  test('sends many over a few connections, and counts', async () => {
    const house = await StreamHouse.with();
    const { code, said } = await run(house, '--count', '5000', '--sessions', '3', '--to', 'u{n}@y.test');
    expect(code).toBe(0);
    expect(said).toMatch(/^5,000 accepted in /);
    const recipients = house.spool.kept.map(({ envelope }) => envelope.recipients[0]?.path);
    expect(new Set(recipients).size).toBe(5000);
    expect(new Set(house.spool.kept.map(({ envelope }) => envelope.connectionId)).size).toBe(3);
  });

  test('says who was refused, and exits with 1', async () => {
    const house = await StreamHouse.with({ relay_domains: ['y.test'] });
    const some = await run(house, '--to', 'a@y.test', 'b@z.test');
    expect(some.code).toBe(1);
    expect(some.said).toMatch(/^<b@z\.test>: 550 5\.7\.1 relaying denied\naccepted as \S+ for 1 of 2 recipients\n$/);
    const none = await run(house, '--to', 'b@z.test');
    expect(none).toMatchObject({ code: 1, said: 'refused: 550 5.7.1 relaying denied\n' });
  });

  test('says so when nobody is there', async () => {
    const house = await StreamHouse.with();
    const { code, complained } = await run(house, '--server', '10.0.0.9:1825');
    expect(code).toBe(1);
    expect(complained).toMatch(/^impetus send: 10\.0\.0\.9:1825: /);
  });
});
