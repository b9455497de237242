import { expect, test } from 'vitest';
import { afterPowerCut, SimExit, simNames, simProcess, simWorld } from './index.ts';

test('after a power cut the clock goes on, and the disk is another one', async () => {
  const world = simWorld(3);
  await world.clock.advance(1000);
  const after = afterPowerCut(world);
  expect(after.clock.now()).toBe(1000);
  await expect(world.disk.list('/')).rejects.toMatchObject({ code: 'EIO' });
  expect(await after.disk.list('/')).toEqual([]);
});

test('names are answered from a map, with aliases and failures', async () => {
  const names = simNames({
    'Example.com': { MX: ['10 MX1.example.', '20 mx2.example'], TXT: ['v=spf1 -all'] },
    'alias.example': { CNAME: 'example.com' },
    'dangling.example': { CNAME: 'nowhere.example' },
    'loop.example': { CNAME: 'loop.example' },
    'broken.example': { fails: 'timeout' },
    'mx1.example': { A: ['192.0.2.1'] },
  });
  expect(await names.lookup('EXAMPLE.com.', 'MX')).toEqual({
    kind: 'found',
    ttl: 300,
    authentic: false,
    records: [
      { type: 'MX', preference: 10, host: 'mx1.example' },
      { type: 'MX', preference: 20, host: 'mx2.example' },
    ],
  });
  expect((await names.lookup('alias.example', 'TXT')).kind).toBe('found');
  expect(await names.lookup('alias.example', 'CNAME')).toMatchObject({
    records: [{ type: 'CNAME', name: 'example.com' }],
  });
  expect((await names.lookup('dangling.example', 'A')).kind).toBe('no name');
  expect(await names.lookup('loop.example', 'A')).toEqual({ kind: 'failed', why: 'server failure' });
  expect(await names.lookup('broken.example', 'A')).toEqual({ kind: 'failed', why: 'timeout' });
  expect((await names.lookup('mx1.example', 'AAAA')).kind).toBe('no data');
  names.set('mx1.example', undefined);
  expect((await names.lookup('mx1.example', 'A')).kind).toBe('no name');
  expect(names.asked[0]).toBe('MX example.com');
});

test('a simulated process keeps its words and hears signals', async () => {
  const process = simProcess({ arguments: ['check'], environment: { HOME: '/root' }, input: 'in' });
  process.say('a');
  process.say('b');
  process.complain('c');
  let heard = 0;
  const handler = process.onSignal('SIGHUP', () => {
    heard++;
  });
  expect(process.signal('SIGHUP')).toBe(true);
  handler[Symbol.dispose]();
  expect(process.signal('SIGHUP')).toBe(false);
  let input = '';
  for await (const chunk of process.input()) input += Buffer.from(chunk).toString();
  expect([
    process.said,
    process.complained,
    heard,
    input,
    process.environment('HOME'),
    process.environment('toString'),
  ]).toEqual(['ab', 'c', 1, 'in', '/root', undefined]);
  expect(() => process.exit(2)).toThrow(SimExit);
});
