import { describe, expect, test } from 'vitest';
import { StoreError, type StoreRows } from '../world/index.ts';
import { type SimAnswer, type SimStore, simWorld } from '../world/sim/index.ts';
import { Datasource, type DatasourceSettings } from './datasource.ts';
import { readStoreUri, type StoreUri } from './store-uri.ts';

const rows = (...values: readonly string[]): StoreRows => ({ columns: ['v'], rows: values.map((value) => [value]) });
const echo: SimAnswer = (question) => (question.kind === 'sql' ? rows(...question.values.map(String)) : undefined);

class Ground {
  readonly world = simWorld(1);
  readonly told: string[] = [];
  readonly a: SimStore = this.world.stores.put('10.0.0.1:5432', echo);
  readonly b: SimStore = this.world.stores.put('10.0.0.2:5432', echo);
  readonly source: Datasource;
  readonly settings: DatasourceSettings;

  constructor(
    changes: Partial<Omit<DatasourceSettings, 'pool'>> & { pool?: Partial<DatasourceSettings['pool']> } = {},
    hosts = ['10.0.0.1'],
  ) {
    const { pool, ...rest } = changes;
    this.settings = {
      uris: hosts.map((host) => readStoreUri(`pgsql:host=${host}`) as StoreUri),
      cacheMillis: 60_000,
      negativeMillis: 5000,
      cacheSize: 3,
      mostRows: 100,
      connectMillis: 1000,
      queryMillis: 2000,
      ...rest,
      pool: { least: 0, most: 2, mostIdle: 2, idleMillis: 10_000, lifeMillis: Number.POSITIVE_INFINITY, ...pool },
    };
    const { stores, clock, chance } = this.world;
    this.source = new Datasource('db', this.settings, {
      stores,
      clock,
      chance,
      events: { diagnose: (level, _, text) => void this.told.push(`${level} ${text}`) },
    });
  }

  begin(value: string, ways = {}): Promise<StoreRows> {
    return this.source.query('SELECT :v', new Map([['v', value]]), ways);
  }

  ask(value: string, ways = {}): Promise<StoreRows> {
    return this.world.clock.until(this.begin(value, ways));
  }

  /** All at the same time. */
  all(...values: readonly string[]): Promise<readonly StoreRows[]> {
    return this.world.clock.until(Promise.all(values.map((value) => this.begin(value))));
  }

  /** What an error says, or the first value. */
  async says(value: string, ways = {}): Promise<unknown> {
    try {
      return (await this.ask(value, ways)).rows[0]?.[0];
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
  }
}

describe('the cache', () => {
  test('answers the same question until cache_life is over, and counts it', async () => {
    const at = new Ground();
    for (const value of ['x', 'x', 'y']) expect(await at.says(value)).toBe(value);
    expect(at.a.asked).toHaveLength(2);
    await at.world.clock.advance(60_000);
    await at.ask('x');
    expect(at.a.asked).toHaveLength(3);
    expect(at.source.cache.counts).toMatchObject({ hits: 1, misses: 3, inserts: 3, expired: 1 });
  });

  test('who asks the same at the same time waits for one answer', async () => {
    const at = new Ground();
    const answers = await at.all('x', 'x', 'x');
    expect(answers.map(({ rows: found }) => found[0]?.[0])).toEqual(['x', 'x', 'x']);
    expect(at.a.asked).toHaveLength(1);
    expect(at.source.cache.counts).toMatchObject({ pending: 2, misses: 1 });
  });

  test('that there is nothing is kept for a shorter time', async () => {
    const at = new Ground();
    at.a.answer = () => rows();
    await at.ask('x');
    await at.ask('x');
    expect(at.a.asked).toHaveLength(1);
    await at.world.clock.advance(5000);
    at.a.answer = echo;
    expect(await at.says('x')).toBe('x');
  });

  test('keeps cache_size results; the least recently used goes first', async () => {
    const at = new Ground();
    for (const value of ['1', '2', '3', '1', '4', '1', '2']) await at.ask(value);
    expect(at.source.cache.counts).toMatchObject({ hits: 2, pushedOut: 2 });
    expect(at.source.cache.size).toBe(3);
  });

  test('a flush forgets, also what is under way', async () => {
    const at = new Ground();
    await at.ask('1');
    const coming = at.source.query('SELECT :v', new Map([['v', '2']]));
    expect(at.source.flush()).toBe(1);
    await at.world.clock.until(coming);
    expect(at.source.cache.size).toBe(0);
  });

  test('a life that becomes shorter holds for what is kept', async () => {
    const at = new Ground();
    await at.ask('x');
    at.source.adjust({ ...at.settings, cacheMillis: 1000 });
    await at.world.clock.advance(1000);
    await at.ask('x');
    expect(at.a.asked).toHaveLength(2);
  });

  test('no errors are kept, and nothing with noCache', async () => {
    const at = new Ground();
    at.a.answer = () => {
      throw new StoreError('refused', 'no such table');
    };
    expect(await at.says('x')).toBe('datasource db: no such table');
    at.a.answer = echo;
    expect(await at.says('x', { noCache: true })).toBe('x');
    expect(at.source.cache.size).toBe(0);
    expect(at.told).toEqual(['ERROR IMP_DATASOURCE datasource db: the query does not work: no such table']);
  });
});

test('a store that repeats what it was sent does not put it into the log, nor a line for each client', async () => {
  const at = new Ground();
  at.a.answer = (question) => {
    throw new StoreError('refused', `not a number: "${question.kind === 'sql' ? question.values[0] : ''}"`);
  };
  for (const value of ['secret', 'a longer secret'])
    expect(await at.says(value)).toBe('datasource db: not a number: "…"');
  expect(at.told).toEqual(['ERROR IMP_DATASOURCE datasource db: the query does not work: not a number: "…"']);
});

describe('connections', () => {
  test('are used again, at most so many at once; the others wait', async () => {
    const at = new Ground();
    await at.all('1', '2', '3', '4', '5');
    expect(at.a.connects).toBe(2);
    expect(at.a.open.size).toBe(2);
  });

  test('are closed when nobody wants them, down to min_connections', async () => {
    const at = new Ground({ pool: { least: 1 } });
    await at.all('1', '2');
    await at.world.clock.advance(20_000);
    expect(at.a.open.size).toBe(1);
    at.a.stop();
    at.a.start();
    await at.world.clock.advance(20_000);
    expect(at.a.open.size).toBe(1);
    at.source.close();
    expect(at.a.open.size).toBe(0);
    expect(at.world.clock.pending).toBe(0);
  });

  test('a server that was started again costs nobody an answer', async () => {
    const at = new Ground();
    await at.ask('1');
    at.a.stop();
    at.a.start();
    expect(await at.says('2')).toBe('2');
    expect(at.told).toEqual([]);
  });

  test('a statement that changes something is not sent twice', async () => {
    const at = new Ground();
    await at.ask('1');
    const real = at.a.answer;
    at.a.answer = () => {
      throw new StoreError('lost', 'the connection was closed');
    };
    const asked = at.a.asked.length;
    expect(await at.says('2', { changes: true })).toBe('datasource db: the connection was closed');
    expect(at.a.asked.length - asked).toBe(1);
    at.a.answer = real;
  });
});

describe('a store that is down', () => {
  test('is unavailable at once, is tried again after a while, and comes back; each is told once', async () => {
    const at = new Ground();
    at.a.stop();
    expect(await at.says('1')).toBe('datasource db: connect ECONNREFUSED 10.0.0.1:5432');
    const before = at.world.clock.now();
    expect(await at.says('2')).toMatch(/^datasource db: it is down, and will be tried again in \d s$/);
    expect(at.world.clock.now()).toBe(before);
    await at.world.clock.advance(1300);
    expect(await at.says('3')).toContain('ECONNREFUSED');
    await at.world.clock.advance(1000);
    expect(await at.says('4')).toContain('it is down');
    at.a.start();
    await at.world.clock.advance(2000);
    expect(await at.says('5')).toBe('5');
    expect(at.told).toEqual([
      'ERROR IMP_DATASOURCE datasource db: pgsql:host=10.0.0.1;port=5432 is down: connect ECONNREFUSED 10.0.0.1:5432',
      'NOTICE datasource db: pgsql:host=10.0.0.1;port=5432 answers again',
    ]);
  });

  test('what it has answered before is still known', async () => {
    const at = new Ground();
    await at.ask('x');
    at.a.stop();
    expect(await at.says('x')).toBe('x');
  });

  test('that says nothing is given up after query_timeout', async () => {
    const at = new Ground();
    at.a.answer = () => undefined;
    expect(await at.says('1')).toBe('datasource db: no answer within 2 s');
    expect(at.a.open.size).toBe(0);
  });

  test('those who wait for a connection hear so when their time is over', async () => {
    const at = new Ground({ pool: { most: 1, mostIdle: 1 } });
    at.a.answer = () => undefined;
    const all = await at.world.clock.until(Promise.allSettled([at.begin('1'), at.begin('2')]));
    const why = all.map((each) => (each.status === 'rejected' ? String(each.reason) : ''));
    expect(why[1]).toContain('no connection became free in time');
  });
});

describe('several uris', () => {
  test('take turns', async () => {
    const at = new Ground({}, ['10.0.0.1', '10.0.0.2']);
    for (const value of ['1', '2', '3', '4']) await at.ask(value);
    expect([at.a.asked.length, at.b.asked.length]).toEqual([2, 2]);
  });

  test('dead ones are passed over, and nobody notices', async () => {
    const at = new Ground({}, ['10.0.0.1', '10.0.0.2']);
    at.a.stop();
    for (const value of ['1', '2', '3', '4']) expect(await at.says(value)).toBe(value);
    expect(at.b.asked).toHaveLength(4);
    at.b.stop();
    expect(await at.says('5')).toMatch(/down|ECONNREFUSED/);
  });
});
