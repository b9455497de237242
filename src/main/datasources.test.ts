import { expect, test } from 'vitest';
import { Talker, WholeServer } from '../../test/support/whole-server.ts';
import { loadConfiguration } from '../config/index.ts';
import { events } from '../events/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { houseDatasources } from './datasources.ts';
import { declaredOptions, moduleNames } from './declared.ts';

const datasource = (host: string, more = '') => `Datasource "db" { uri = ( "pgsql:host=${host}" ) ${more} }`;

async function house() {
  const world = simWorld();
  const stores = ['10.0.0.1', '10.0.0.2'].map((host) =>
    world.stores.put(`${host}:5432`, () => ({ columns: ['host'], rows: [[host]] })),
  );
  const built = houseDatasources(
    world,
    events(world.clock, () => 1),
  );
  const take = async (text: string): Promise<void> => {
    world.disk.put('/etc/i.conf', text);
    const { disk, clock } = world;
    const { current } = await loadConfiguration({
      disk,
      clock,
      file: '/etc/i.conf',
      searchPath: [],
      declared: declaredOptions,
      modules: moduleNames,
    });
    built.take(current);
  };
  const ask = async (): Promise<unknown> => {
    const rows = built.datasources.find('db')?.query('SELECT 1', new Map());
    return rows && (await world.clock.until(rows)).rows[0]?.[0];
  };
  return { world, stores, built, take, ask };
}

test('a reload leaves cache and connections alone; another uri begins anew', async () => {
  const { stores, take, ask, built } = await house();
  const [first, second] = stores;
  await take(datasource('10.0.0.1'));
  expect(await ask()).toBe('10.0.0.1');
  await take(datasource('10.0.0.1', 'cache_life = 1800 cache_size = 5'));
  expect(await ask()).toBe('10.0.0.1');
  expect([first?.asked.length, first?.open.size]).toEqual([1, 1]);
  await take(datasource('10.0.0.2'));
  expect(await ask()).toBe('10.0.0.2');
  expect([first?.open.size, second?.asked.length]).toEqual([0, 1]);
  await take('');
  expect(await ask()).toBeUndefined();
  expect(second?.open.size).toBe(0);
  built[Symbol.dispose]();
});

test('a datasource has as many connections as its pool has threads, or as max_connections says', async () => {
  const { world, stores, take, built } = await house();
  const burst = async (): Promise<number | undefined> => {
    const db = built.datasources.find('db');
    if (db === undefined) throw new Error('there is no datasource');
    await world.clock.until(
      Promise.all(
        Array.from({ length: 9 }, (_, at) => db.query('SELECT :n', new Map([['n', `${at}`]]), { noCache: true })),
      ),
    );
    return stores[0]?.open.size;
  };
  await take(datasource('10.0.0.1', 'pool = "few"').concat(' ThreadPool "few" { Concurrency = 3 }'));
  expect(await burst()).toBe(3);
  await take(datasource('10.0.0.1', 'max_connections = 5'));
  expect(await burst()).toBe(5);
  await take(datasource('10.0.0.1'));
  expect(await burst()).toBe(9);
  built[Symbol.dispose]();
});

test('a server starts without its database, warns of it, and refuses a reload that could never work', async () => {
  const whole = await WholeServer.with(datasource('10.9.9.1'));
  await whole.world.clock.advance(100);
  expect(whole.told).toContainEqual(
    'WARNING Datasource "db": pgsql:host=10.9.9.1;port=5432 cannot be used now: connect ECONNREFUSED 10.9.9.1:5432',
  );
  whole.world.stores.absent.add('mysql');
  for (const [text, why] of [
    [
      'Datasource "db" { uri = ( "mysql:host=x" ) }',
      'the driver mysql needs the npm package mysql, which is not installed',
    ],
    ['Datasource "db" { cache_life = 5 }', 'Datasource "db" has no uri'],
    [datasource('10.9.9.1', 'pool = "none"'), 'there is no ThreadPool "none"'],
    ['Datasource "db" { uri = ( "pgsql:host=a" "sqlite:/b" ) }', 'of one driver'],
    [
      'auth_ds { Scheme "s" { Authenticate { query = "SELECT :p" cache = "db" map = [ p = "%{password}" ] } } }',
      'no Datasource "db"',
    ],
  ] as const) {
    await whole.reload(text);
    expect(whole.told.at(-1)).toContain('Reconfigure failed');
    expect(whole.told.at(-1)).toContain(why);
  }
  await whole.world.clock.until(whole.server.close(0));
});

test('what the console prints of datasources has one line for each', async () => {
  const whole = await WholeServer.with(datasource('10.9.9.1'));
  const talker = new Talker(whole.world, '/run/control', '');
  const request = Buffer.from('....Rds_core stats');
  request.writeUInt32BE(request.length - 4);
  await whole.world.clock.advance(100);
  talker.pipe.write([request]);
  await whole.world.clock.advance(100);
  expect(talker.heard).toMatch(/cache name [^\n]*\n[\s\S]* elts [^\n]*\n[\s\S]*-+ [^\n]*\n[\s\S]*db +0 [^\n]*\n/);
  await whole.world.clock.until(whole.server.close(0));
});
