import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeyValueError, type KeyValueStores, type KeyValues } from '../key-values.ts';
import { SimKeyValues } from '../sim/key-values.ts';
import { NodeKeyValues } from './key-values.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each<[string, () => KeyValueStores]>([
  ['in SQLite', () => new NodeKeyValues()],
  ['in memory', () => new SimKeyValues()],
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
    using again: KeyValues = stores.open(path);
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

describe.each<[string, () => KeyValueStores, (stores: KeyValueStores, path: string) => void]>([
  ['in SQLite', () => new NodeKeyValues(), (_, path) => rmSync(path)],
  ['in memory', () => new SimKeyValues(), (stores, path) => (stores as SimKeyValues).remove(path)],
])('a store %s whose file is removed', (_, make, remove) => {
  test('knows that it is lost, is not opened again, and another one at its place does not make it found', () => {
    const stores = make();
    const path = join(folder, 'a.db');
    expect(() => stores.reopen(path)).toThrow(`${path} is gone`);
    using store = stores.open(path);
    expect(store.isLost()).toBe(false);
    remove(stores, path);
    expect(store.isLost()).toBe(true);
    expect(() => stores.reopen(path)).toThrow(`${path} is gone`);
    using other = stores.open(path);
    expect([store.isLost(), other.isLost()]).toEqual([true, false]);
    using again = stores.reopen(path);
    expect(again.isLost()).toBe(false);
  });
});

test('a write that fails in its middle leaves nothing', () => {
  using store = new NodeKeyValues().open(join(folder, 'a.db'));
  function* half(): Generator<readonly [string, string]> {
    yield ['a', '1'];
    throw new Error('no more');
  }
  expect(() => store.write(half())).toThrow(KeyValueError);
  expect(store.get('a')).toBeUndefined();
  store.write([['b', '1']]);
  expect(store.get('b')).toBe('1');
});

test('an older file is brought up to date, and a newer one is refused', () => {
  const path = join(folder, 'a.db');
  const first = 'CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT';
  {
    using store = new NodeKeyValues([first]).open(path);
    store.write([['a', '1']]);
  }
  {
    using store = new NodeKeyValues([first, "UPDATE entry SET value = value || '!'"]).open(path);
    expect(store.get('a')).toBe('1!');
  }
  expect(() => new NodeKeyValues([first]).open(path)).toThrow('written by a newer one');
});

test('what is no store is not touched', () => {
  expect(() => new NodeKeyValues().open(join(folder, 'no', 'where.db'))).toThrow(KeyValueError);
});

test('a new file and what stands beside it are for the user and the group of the server', () => {
  const umask = process.umask(0o022);
  try {
    using store = new NodeKeyValues().open(join(folder, 'a.db'));
    store.write([['a', '1']]);
    for (const name of ['a.db', 'a.db-wal']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o640);
  } finally {
    process.umask(umask);
  }
});
