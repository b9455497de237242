import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimStores } from '../sim/stores.ts';
import { type Store, StoreError, type Stores } from '../store.ts';
import { NodeStores } from './store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each<[string, () => Stores]>([
  ['in SQLite', () => new NodeStores()],
  ['in memory', () => new SimStores()],
])('a store %s', (_, make) => {
  test('gives back what was written, in the order of its keys, also after it was closed', () => {
    const stores = make();
    const path = join(folder, 'a.db');
    {
      using store = stores.open(path);
      store.write([
        ['b', '2'],
        ['a\u0000x', '1'],
        ['é', '4'],
        ['c', '3'],
      ]);
      store.write([
        ['c', undefined],
        ['b', 'two'],
      ]);
    }
    using again: Store = stores.open(path);
    expect(again.get('b')).toBe('two');
    expect(again.get('c')).toBeUndefined();
    expect(again.scan('', '\u{10ffff}', 10).map(({ key, value }) => [key, value])).toEqual([
      ['a\u0000x', '1'],
      ['b', 'two'],
      ['é', '4'],
    ]);
    expect(again.scan('b', 'é', 10)).toHaveLength(1);
    expect(again.scan('', '\u{10ffff}', 2)).toHaveLength(2);
  });
});

test('a write that fails in its middle leaves nothing', () => {
  using store = new NodeStores().open(join(folder, 'a.db'));
  function* half(): Generator<readonly [string, string]> {
    yield ['a', '1'];
    throw new Error('no more');
  }
  expect(() => store.write(half())).toThrow(StoreError);
  expect(store.get('a')).toBeUndefined();
  store.write([['b', '1']]);
  expect(store.get('b')).toBe('1');
});

test('an older file is brought up to date, and a newer one is refused', () => {
  const path = join(folder, 'a.db');
  const first = 'CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT';
  {
    using store = new NodeStores([first]).open(path);
    store.write([['a', '1']]);
  }
  {
    using store = new NodeStores([first, "UPDATE entry SET value = value || '!'"]).open(path);
    expect(store.get('a')).toBe('1!');
  }
  expect(() => new NodeStores([first]).open(path)).toThrow('written by a newer one');
});

test('what is no store is not touched', () => {
  expect(() => new NodeStores().open(join(folder, 'no', 'where.db'))).toThrow(StoreError);
});
