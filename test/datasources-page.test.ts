import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CredentialStores, readStoreAddress } from '../src/auth/index.ts';
import { loadConfiguration } from '../src/config/index.ts';
import { events } from '../src/events/index.ts';
import {
  checkDatasources,
  datasourceNotes,
  declaredOptions,
  houseDatasources,
  moduleNames,
} from '../src/main/index.ts';
import { type SimWorld, simWorld } from '../src/world/sim/index.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../docs/datasources.md', import.meta.url)), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...PAGE.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, each]) => each === language).map(([, , text = '']) => text);

async function load(world: SimWorld, text: string) {
  await world.disk.makeDirectory('/etc/impetus');
  await world.disk.replace('/etc/impetus.conf', Buffer.from(text));
  const { disk, clock } = world;
  return loadConfiguration({
    disk,
    clock,
    file: '/etc/impetus.conf',
    searchPath: [],
    declared: declaredOptions,
    modules: moduleNames,
  });
}

test('every example of docs/datasources.md is a valid configuration, all of which is implemented', async () => {
  expect(blocks('')).toHaveLength(3);
  for (const text of blocks('')) {
    const world = simWorld();
    const configuration = await load(world, text);
    expect(configuration.notImplemented.map(({ line }) => line)).toEqual([]);
    await checkDatasources(world, configuration.current);
    expect(datasourceNotes(configuration.current)).toEqual([]);
  }
});

test('the first example logs users in, and the console answers as the page says', async () => {
  const world = simWorld();
  world.stores.put('db.example.com:5432', (question) => {
    if (question.kind !== 'sql') return undefined;
    const known = question.values[0] === 'ann';
    return question.text.startsWith('SELECT password')
      ? { columns: ['password', 'form'], rows: known ? [['secret', 'C']] : [] }
      : { columns: ['team'], rows: [['admins']] };
  });
  const { current } = await load(world, blocks('')[0] ?? '');
  const heard = events(world.clock, () => 1);
  const house = houseDatasources(world, heard);
  house.take(current);
  const stores = new CredentialStores({ ...world, events: heard, schemes: house.scheme });
  const store = readStoreAddress('dbauth://');
  const [right, wrong] = await world.clock.until(
    (async () => [await stores.verdict(store, 'ann', 'secret'), await stores.verdict(store, 'ann', 'Secret')])(),
  );
  expect([right, wrong]).toEqual(['right', 'wrong']);
  expect(await world.clock.until(stores.rolesOf(store, 'ann'))).toEqual(['admins']);
  expect(await world.clock.until(stores.rolesOf(store, 'ann'))).toEqual(['admins']);
  const said: string[] = [];
  for (const words of ['ds_core flush db', 'ds_core stats']) {
    const command = house.commands.find((each) => words.startsWith(each.words));
    said.push(`> ${words}`, ...(command?.run(words.split(' ').slice(2)) ?? []));
  }
  expect(`${said.join('\n')}\n`).toBe(blocks('console')[0]);
  house[Symbol.dispose]();
});
