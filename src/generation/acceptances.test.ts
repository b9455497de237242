import { expect, test } from 'vitest';
import { simWorld } from '../world/sim/index.ts';
import { Acceptances, REMEMBERED } from './acceptances.ts';
import { ApiStore } from './api-store.ts';

const acceptance = (n: number) => ({ key: `key${n}`, request: 'r', id: String(n), accepted: 1, rejected: 0 });

function room(most: number) {
  const { clock, disk, keyValues } = simWorld();
  const events = { diagnose: () => undefined };
  const store = new ApiStore({ clock, disk, keyValues, events, path: '/api.db' });
  return { clock, store, acceptances: new Acceptances({ clock, store, most }) };
}

test('beyond the most the oldest are forgotten, and the store does not grow', async () => {
  const { clock, store, acceptances } = room(10);
  for (let n = 0; n < 100; n++) {
    await clock.until(acceptances.remember(acceptance(n)));
    await clock.advance(1);
  }
  const known = Array.from({ length: 100 }, (_, n) => n).filter((n) => acceptances.find(`key${n}`) !== undefined);
  expect(known).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  expect(store.scan('idempotency', 'idempotencz', 1000)).toHaveLength(2 * 10 + 1);
});

test('after a day a key is free, and forgetting the old request leaves the new one', async () => {
  const { clock, store, acceptances } = room(1000);
  await clock.until(Promise.all([acceptances.remember(acceptance(1)), acceptances.remember(acceptance(2))]));
  await clock.advance(REMEMBERED - 1);
  expect(acceptances.find('key1')?.id).toBe('1');
  await clock.advance(1);
  expect(acceptances.find('key1')).toBeUndefined();
  await clock.until(acceptances.remember({ ...acceptance(1), id: 'new' }));
  await clock.until(acceptances.remember(acceptance(3)));
  expect(acceptances.find('key1')?.id).toBe('new');
  expect(store.scan('idempotency\u0000', 'idempotency\u0001', 10)).toHaveLength(2);
});
