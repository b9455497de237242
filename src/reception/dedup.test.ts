import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { formatId, type MessageId } from '../message/index.ts';
import { simWorld } from '../world/sim/index.ts';
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
});
