import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millis } from '../../base/index.ts';
import { formatId, type MessageId } from '../../message/index.ts';
import { simWorld } from '../../world/sim/index.ts';
import { DedupJournal } from './dedup-journal.ts';
import { DedupTable, KEY_SECONDS, sumOf } from './dedup-keys.ts';

const idOf = (n: number): MessageId => formatId({ counter: n & 0xffff, instance: 7, second: n });
const NOW = millis(1_800_000_000_000);

describe('the table of keys', () => {
  test('knows the newest as long as there is room, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4000), { maxLength: 3000 }), (keys) => {
        const most = 2048;
        const table = new DedupTable(most);
        const model = new Map<number, MessageId>();
        for (const key of keys) {
          if (model.has(key)) continue;
          table.add(sumOf(`key ${key}`), idOf(key), NOW);
          model.set(key, idOf(key));
          if (model.size > most) model.delete(model.keys().next().value as number);
        }
        expect(table.size).toBe(model.size);
        for (const key of new Set(keys)) expect(table.find(sumOf(`key ${key}`), NOW)).toBe(model.get(key));
      }),
      { numRuns: 20 },
    );
  });

  test('forgets a key after a day', () => {
    const table = new DedupTable();
    table.add(sumOf('one'), idOf(1), NOW);
    table.add(sumOf('two'), idOf(2), millis(NOW + 3_600_000));
    const later = millis(NOW + KEY_SECONDS * 1000 + 2000);
    expect(table.find(sumOf('one'), later)).toBeUndefined();
    expect(table.find(sumOf('two'), later)).toBe(idOf(2));
    expect(table.size).toBe(1);
  });
});

test('a key that came back from the spool after younger ones is forgotten in its own time, and may come again', () => {
  const table = new DedupTable();
  const old = millis(NOW - KEY_SECONDS * 1000 - 5000);
  table.add(sumOf('young'), idOf(1), NOW);
  table.add(sumOf('old'), idOf(2), old);
  expect(table.find(sumOf('old'), NOW)).toBeUndefined();
  table.add(sumOf('old'), idOf(3), NOW);
  expect(table.find(sumOf('old'), NOW)).toBe(idOf(3));
  // One that still holds keeps its first id.
  table.add(sumOf('young'), idOf(4), millis(NOW + 1000));
  expect(table.find(sumOf('young'), NOW)).toBe(idOf(1));
});

describe('the journal of keys', () => {
  const open = async (world: ReturnType<typeof simWorld>, lines: string[] = []) => {
    const found = new Map<string, MessageId>();
    const { disk, clock } = world;
    const opening = DedupJournal.open(
      { disk, clock, directory: '/keys', complain: (text) => void lines.push(text), entriesOfFile: 100 },
      (sum, id) => void found.set(sum.toString('hex'), id),
    );
    return { journal: await clock.until(opening), found };
  };
  const add = async (world: ReturnType<typeof simWorld>, journal: DedupJournal, from: number, to: number) => {
    for (let n = from; n < to; n++) journal.add(sumOf(`key ${n}`), idOf(n), world.clock.date());
    await world.clock.advance(1000);
  };

  test('has after a restart what was added, and keeps two files at most', async () => {
    const world = simWorld();
    const first = await open(world);
    expect(world.disk.files()).toEqual([]);
    for (let n = 0; n < 500; n += 50) await add(world, first.journal, n, n + 50);
    expect(world.disk.files().filter((path) => path.startsWith('/keys/'))).toHaveLength(2);
    const second = await open(world);
    for (let n = 400; n < 500; n++) expect(second.found.get(sumOf(`key ${n}`).toString('hex'))).toBe(idOf(n));
    await add(world, second.journal, 500, 510);
    const third = await open(world);
    expect(third.found.get(sumOf('key 505').toString('hex'))).toBe(idOf(505));
  });

  test('a torn or damaged entry costs itself only', async () => {
    const world = simWorld();
    const { journal } = await open(world);
    await add(world, journal, 0, 10);
    await world.clock.until(journal.close());
    const [path = ''] = world.disk.files();
    const bytes = Buffer.from(await world.clock.until(world.disk.read(path)));
    bytes[3 * 32 + 5] = (bytes[3 * 32 + 5] ?? 0) ^ 0xff;
    await world.clock.until(world.disk.replace(path, bytes.subarray(0, 9 * 32 + 20)));
    const { found } = await open(world);
    const known = Array.from({ length: 10 }, (_, n) => found.has(sumOf(`key ${n}`).toString('hex')));
    expect(known).toEqual([true, true, true, false, true, true, true, true, true, false]);
  });

  test('what was added last is on the disk a second later, also when nothing follows', async () => {
    const world = simWorld();
    const { journal } = await open(world);
    journal.add(sumOf('key 1'), idOf(1), world.clock.date());
    await world.clock.advance(100);
    journal.add(sumOf('key 2'), idOf(2), world.clock.date());
    await world.clock.advance(1100);
    const { found } = await open({ ...world, disk: world.disk.crash() });
    expect([...found.values()]).toEqual([idOf(1), idOf(2)]);
  });

  test('restarts cost no keys, and files whose keys are too old go', async () => {
    const world = simWorld();
    for (let start = 0; start < 5; start++) {
      const { journal, found } = await open(world);
      expect(found.size).toBe(start * 10);
      await add(world, journal, start * 10, start * 10 + 10);
      await world.clock.until(journal.close());
    }
    await world.clock.advance(KEY_SECONDS * 1000);
    const { journal, found } = await open(world);
    expect(found.size).toBeLessThanOrEqual(10);
    await add(world, journal, 100, 110);
    expect(world.disk.files().length).toBeLessThanOrEqual(2);
  });

  test('a file that cannot be read costs its own keys only, and one that stands in the way is passed by', async () => {
    const world = simWorld();
    for (let start = 0; start < 3; start++) {
      const { journal } = await open(world);
      await add(world, journal, start * 10, start * 10 + 10);
      await world.clock.until(journal.close());
    }
    world.disk.fail({ operation: 'read', path: 'ecstream-keys.1' }, 'EIO');
    world.disk.put('/keys/ecstream-keys.4', 'x');
    world.disk.fail({ operation: 'list', times: 1 }, 'EIO');
    const lines: string[] = [];
    const blind = await open(world, lines);
    expect([blind.found.size, lines]).toEqual([0, [expect.stringContaining('cannot be read')]]);
    for (let n = 50; n < 60; n++) {
      blind.journal.add(sumOf(`key ${n}`), idOf(n), world.clock.date());
      await world.clock.advance(2000);
    }
    await world.clock.until(blind.journal.close());
    const { found } = await open(world);
    expect(found.has(sumOf('key 15').toString('hex'))).toBe(true);
    expect(found.has(sumOf('key 5').toString('hex'))).toBe(false);
    expect(found.has(sumOf('key 59').toString('hex'))).toBe(true);
  });
});
