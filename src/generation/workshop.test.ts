import { expect, test } from 'vitest';
import { generationOf } from '../../test/support/generation.ts';
import { MemorySpool } from '../../test/support/memory-spool.ts';
import { millis } from '../base/index.ts';
import { events as makeEvents } from '../events/index.ts';
import { type BodyHold, idAllocator } from '../message/index.ts';
import { templates } from '../templates/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { Acceptances } from './acceptances.ts';
import { ApiStore } from './api-store.ts';
import { linesOf } from './job.ts';
import type { Order, Recipient } from './order.ts';
import { readRecipient } from './recipients.ts';
import { Register } from './register.ts';
import { Suppressions } from './suppressions.ts';
import { Transmissions } from './transmissions.ts';

const recipients = (count: number): readonly Recipient[] =>
  Array.from({ length: count }, (_, n) => readRecipient({ address: `r${n}@x.test` }));

const orderOf = (html: string, id = '1'): Order => ({
  id,
  content: { from: 'news@shop.test', subject: 'Hi', html },
  template: undefined,
  returnPath: undefined,
  campaignId: '',
  metadata: {},
  substitutionData: {},
  override: {},
  options: {},
  bindings: [],
});

/** Transmissions whose messages are taken when somebody says so. */
function room() {
  const { clock, disk, keyValues } = simWorld();
  const events = makeEvents(clock, () => 1);
  const store = new ApiStore({ clock, disk, keyValues, events, path: '/api.db' });
  const spool = new MemorySpool();
  const taken: (() => void)[] = [];
  let bytes = 0;
  let most = 0;
  const transmissions = new Transmissions({
    clock,
    events,
    ids: idAllocator({ instance: 1 }),
    spool,
    reception: {
      inject: (_envelope, _traits, draft, replaces) => {
        bytes += draft.length;
        most = Math.max(most, bytes);
        return new Promise((resolve) => {
          taken.push(() => {
            bytes -= draft.length;
            if (replaces !== undefined) spool.done(replaces.at, replaces.recipients);
            resolve(replaces?.at ?? (0 as never));
          });
        });
      },
    },
    suppressions: new Suppressions(store),
    acceptances: new Acceptances({ clock, store }),
    store,
    queues: { delayedUntil: () => [], fail: () => true },
    templates: templates(() => clock.now()),
    current: () => generationOf({}),
    hostName: () => 'mx.example',
    product: 'impetus',
    turn: () => new Promise((resolve) => clock.defer(resolve)),
    full: () => undefined,
  });
  return {
    clock,
    transmissions,
    taken,
    get most() {
      return most;
    },
  };
}

test('messages of a transmission that wait for the disk are bounded by their bytes, and not only by their number', async () => {
  const house = room();
  const html = `${'ä'.repeat(500_000)}{{email}}`;
  await house.clock.until(house.transmissions.send(orderOf(html), recipients(100)));
  for (let count = 0; count < 100; ) {
    await house.clock.advance(10);
    expect(house.taken.length).toBeGreaterThan(0);
    for (const take of house.taken.splice(0)) {
      take();
      count++;
    }
  }
  await house.clock.advance(10);
  // 32 MiB, and the message that went beyond it.
  expect(house.most).toBeLessThan(40 * 1024 * 1024);
  expect(house.transmissions.find('1')).toMatchObject({ made: 100, failed: 0 });
});

test('an order of many megabytes is read in time that grows with its length', async () => {
  const line = Buffer.alloc(64 * 1024 * 1024, 'x');
  const bytes = Buffer.concat([line, Buffer.from('\nshort\nnext\n')]);
  let at = 0;
  const hold: BodyHold = {
    length: bytes.length,
    traits: { dots: false, lone: false },
    next(most) {
      if (at === bytes.length) return undefined;
      const slice = bytes.subarray(at, at + most);
      at += slice.length;
      return [slice];
    },
    rewind: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  const began = performance.now();
  const lengths: number[] = [];
  for await (const each of linesOf(hold)) lengths.push(each.length);
  expect(lengths).toEqual([line.length, 5, 4]);
  expect(performance.now() - began).toBeLessThan(3000);
});

test('finished transmissions with large data are forgotten before they fill the memory', () => {
  const register = new Register(() => millis(0));
  const large = { text: 'x'.repeat(90_000) };
  for (let n = 0; n < 1000; n++) {
    register.begin({ ...orderOf('', String(n)), substitutionData: large }, 1, millis(0));
    register.end(String(n));
  }
  expect(register.find('999')).toBeDefined();
  expect(register.find('0')).toBeUndefined();
  expect([...register.all()].length).toBeLessThan(100);
});
