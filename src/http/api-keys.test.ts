import { expect, test } from 'vitest';
import { parseCidr } from '../base/index.ts';
import { events as makeEvents } from '../events/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { ApiKeyFile } from './api-key-file.ts';
import { ApiKeys } from './api-keys.ts';

const PATH = '/var/lib/impetus/api-keys.json';

function house() {
  const { clock, disk, chance } = simWorld();
  const events = makeEvents(clock, () => 1);
  const told: string[] = [];
  events.subscribe(['diagnostic'], ({ text }) => void told.push(text));
  const file = new ApiKeyFile({ disk, clock, chance, path: PATH });
  const keys = new ApiKeys({ clock, events, file: () => file });
  const text = async (path = PATH) => Buffer.from(await disk.read(path)).toString();
  return { clock, disk, file, keys, told, text };
}

test('a key has 40 hex characters and is nowhere in its file, which only its owner may read', async () => {
  const { file, disk, text } = house();
  const key = await file.create('reports', ['stats/view'], []);
  expect(key).toMatch(/^[0-9a-f]{40}$/);
  expect(await text()).not.toContain(key);
  expect((await disk.status(PATH))?.mode).toBe(0o600);
  expect(await file.read()).toMatchObject([{ label: 'reports', grants: ['stats/view'], validIps: [] }]);
});

test('a running server knows a new key, and forgets a revoked one, within a second', async () => {
  const { clock, file, keys } = house();
  expect(await keys.find('0'.repeat(40), '127.0.0.1')).toBeUndefined();
  const key = await file.create('one', ['stats/view'], []);
  await clock.advance(1000);
  expect(await keys.find(key, '127.0.0.1')).toMatchObject({ label: 'one' });
  await clock.advance(5);
  await file.revoke('one');
  await clock.advance(1000);
  expect(await keys.find(key, '127.0.0.1')).toBeUndefined();
});

test('a key with blocks of addresses is known from there only', async () => {
  const { file, keys } = house();
  const blocks = ['192.0.2.0/24', '2001:db8::/32']
    .map((text) => parseCidr(text))
    .filter((block) => block !== undefined);
  const key = await file.create('one', ['stats/view'], blocks);
  const from = async (ip: string) => (await keys.find(key, ip)) !== undefined;
  expect([
    await from('192.0.2.9'),
    await from('2001:db8::1'),
    await from('192.0.3.1'),
    await from('127.0.0.1'),
  ]).toEqual([true, true, false, false]);
});

test('when a key was used last is written down within a minute, and at the end', async () => {
  const { clock, file, keys, text } = house();
  const key = await file.create('one', ['stats/view'], []);
  const [{ id = '' } = {}] = await file.read();
  await keys.find(key, '127.0.0.1');
  const used = clock.date();
  expect((await file.uses()).size).toBe(0);
  await clock.advance(60_001);
  expect(await file.uses()).toEqual(new Map([[id, used]]));
  await keys.find(key, '127.0.0.1');
  await keys[Symbol.asyncDispose]();
  expect(await file.uses()).toEqual(new Map([[id, clock.date()]]));
  expect(await text(`${PATH}.used`)).not.toContain(key);
});

test.each([
  ['cut off', () => '{'],
  ['a list', () => '[]'],
  ['of another version', () => '{"version":2,"keys":[]}'],
  ['with a block that is none', (good: string) => good.replace('"valid_ips": []', '"valid_ips": ["x"]')],
])('a file that is broken leaves the keys that are known, and is told of once: %s', async (_what, bad) => {
  const { clock, disk, file, keys, told, text } = house();
  const key = await file.create('one', ['stats/view'], []);
  await keys.find(key, '127.0.0.1');
  const good = await text();
  await disk.replace(PATH, Buffer.from(bad(good)));
  for (let look = 0; look < 3; look++) {
    await clock.advance(1001);
    expect(await keys.find(key, '127.0.0.1')).toBeDefined();
  }
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(`IMP_API_KEYS: ${PATH}`);
  await expect(file.create('two', ['stats/view'], [])).rejects.toThrow(PATH);
});

test('before the file could be read nobody can tell whether a key is good, and afterwards everybody can', async () => {
  const { clock, disk, file, keys, told, text } = house();
  const key = await file.create('one', ['stats/view'], []);
  const good = await text();
  await disk.replace(PATH, Buffer.from('{'));
  expect([await keys.find(key, '127.0.0.1'), await keys.find('0'.repeat(40), '127.0.0.1')]).toEqual([
    'unavailable',
    'unavailable',
  ]);
  expect(told).toEqual([`IMP_API_KEYS: ${PATH} is no JSON; keys cannot be checked`]);
  await disk.replace(PATH, Buffer.from(good));
  await clock.advance(1001);
  expect(await keys.find(key, '127.0.0.1')).toMatchObject({ label: 'one' });
  expect(await keys.find('0'.repeat(40), '127.0.0.1')).toBeUndefined();
});

test('a file that is removed takes nobody in and locks nobody out: the keys of it hold until there is another', async () => {
  const { clock, disk, file, keys, told } = house();
  const key = await file.create('one', ['stats/view'], []);
  const find = async (): Promise<string | undefined> => {
    await clock.advance(1000);
    const found = await keys.find(key, '127.0.0.1');
    return found === 'unavailable' ? found : found?.label;
  };
  expect(await find()).toBe('one');
  for (const times of [1, 2]) {
    await disk.rename(PATH, '/var/lib/impetus/away');
    expect(await find()).toBe('one');
    expect(await find()).toBe('one');
    expect(told).toEqual(Array(times).fill(`IMP_API_KEYS: ${PATH} is gone; the keys known so far still hold`));
    await disk.rename('/var/lib/impetus/away', PATH);
    expect(await find()).toBe('one');
  }
  await file.revoke('one');
  expect(await find()).toBeUndefined();
});

test('two keys of one label are told apart by their ids, and a label is a line', async () => {
  const { file } = house();
  await file.create('same', ['stats/view'], []);
  await file.create('same', ['stats/view'], []);
  await expect(file.revoke('same')).rejects.toThrow('2 keys are labelled same');
  await expect(file.revoke('none')).rejects.toThrow('there is no key none');
  const [{ id = '' } = {}] = await file.read();
  await file.revoke(id);
  expect(await file.read()).toHaveLength(1);
  for (const label of ['', ' ', 'two\nlines', 'x'.repeat(201)])
    await expect(file.create(label, ['stats/view'], [])).rejects.toThrow('a label has');
});

test('a grant that a later version made is no right here', async () => {
  const { disk, file, keys, text } = house();
  const key = await file.create('one', ['stats/view'], []);
  await disk.replace(PATH, Buffer.from((await text()).replace('"stats/view"', '"stats/view", "moon/land"')));
  expect(await keys.find(key, '127.0.0.1')).toMatchObject({ grants: ['stats/view'] });
});
