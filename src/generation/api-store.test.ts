import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyValueError } from '../world/index.ts';
import { nodeWorld } from '../world/node/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { ApiStore } from './api-store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a file of somebody else is left alone and told of once; when it is out of the way the store is made', async () => {
  const path = join(folder, 'deep', 'er', 'api.db');
  const { disk, keyValues } = nodeWorld();
  const { clock } = simWorld();
  const said: string[] = [];
  const events = { diagnose: (level: string, _: string, text: string) => void said.push(`${level} ${text}`) };
  writeFileSync(join(folder, 'deep'), 'not a directory');
  using store = new ApiStore({ clock, disk, keyValues, events, path });
  let mended = 0;
  store.onReady(() => mended++);
  await store.start();
  expect(() => store.get('a')).toThrow(KeyValueError);
  rmSync(join(folder, 'deep'));
  // The clock is simulated and the disk is not: what the timer begins ends later.
  await clock.advance(5000);
  await expect.poll(() => mended).toBe(1);
  store.write([['a', '1']]);
  expect(store.get('a')).toBe('1');
  expect(statSync(join(folder, 'deep')).mode & 0o7).toBe(0);
  expect(said).toEqual([expect.stringMatching(/^ERROR/) as string, expect.stringMatching(/^NOTICE/) as string]);
});

test('what is no database is not written to', async () => {
  const path = join(folder, 'api.db');
  const { disk, keyValues } = nodeWorld();
  const { clock } = simWorld();
  writeFileSync(path, 'a letter of somebody, which is longer than the header of a database is'.repeat(10));
  const before = statSync(path).size;
  using store = new ApiStore({ clock, disk, keyValues, events: { diagnose: () => undefined }, path });
  await store.start();
  expect(store.trouble).toContain('not a database');
  expect(() => store.write([['a', '1']])).toThrow(KeyValueError);
  expect(statSync(path).size).toBe(before);
});
