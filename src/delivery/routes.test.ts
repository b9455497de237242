import { expect, test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import { domainOf, generationOf } from '../../test/support/generation.ts';
import { bindingName, millis } from '../base/index.ts';
import type { DnsAnswer } from '../world/index.ts';
import { SimClock } from '../world/sim/clock.ts';
import { deliveryOptions } from './options.ts';
import { Routes } from './routes.ts';

const DOMAIN = domainOf('dst.test');
const RETRY = 1_200_000;
const failed: DnsAnswer = { kind: 'failed', why: 'timeout' };

function cache(global: Record<string, unknown> = {}) {
  const clock = new SimClock();
  const alerts: string[] = [];
  const asked: string[] = [];
  const answers = new Map<string, DnsAnswer | (() => Promise<DnsAnswer>)>();
  const routes = new Routes(
    clock,
    {
      lookup: async (name, type) => {
        asked.push(`${name} ${type}`);
        const answer = answers.get(`${name} ${type}`) ?? failed;
        return typeof answer === 'function' ? answer() : answer;
      },
    },
    { ownName: () => 'me.test', alert: (text) => alerts.push(text) },
  );
  const generation = generationOf({ global });
  const view = generation.sending('default', bindingName('default'), DOMAIN);
  return {
    clock,
    alerts,
    asked,
    routes,
    view,
    works(domain: string, ttl = 300) {
      answers.set(`${domain} MX`, {
        kind: 'found',
        records: [{ type: 'MX', preference: 10, host: `mx.${domain}` }],
        ttl: ttl as never,
        authentic: false,
      });
      answers.set(`mx.${domain} A`, {
        kind: 'found',
        records: [{ type: 'A', address: '192.0.2.1' }],
        ttl: ttl as never,
        authentic: false,
      });
    },
    answers,
    /** Asks and lets the answer come. */
    async find(domain = DOMAIN) {
      routes.find(domain, view, RETRY, () => undefined);
      await clock.settle();
      return routes.peek(domain);
    },
  };
}

test('a look-up is made once for all who ask meanwhile, and each of them is woken once', async () => {
  const { clock, routes, view, asked, works } = cache();
  works('dst.test');
  let first = 0;
  const wake = () => void first++;
  let second = 0;
  for (let i = 0; i < 3; i++) expect(routes.find(DOMAIN, view, RETRY, wake)).toBeUndefined();
  expect(routes.find(DOMAIN, view, RETRY, () => void second++)).toBeUndefined();
  await clock.settle();
  expect([first, second, asked]).toEqual([1, 1, ['dst.test MX', 'mx.dst.test A']]);
  expect(routes.find(DOMAIN, view, RETRY, wake)).toMatchObject({ kind: 'ready' });
});

test('a route lives as long as its TTL, within min_dns_ttl and max_dns_ttl', async () => {
  const short = cache({ min_dns_ttl: 100, max_dns_ttl: 200 });
  short.works('dst.test', 0);
  expect(await short.find()).toMatchObject({ until: 100_000 });
  const long = cache({ min_dns_ttl: 100, max_dns_ttl: 200 });
  long.works('dst.test', 9999);
  expect(await long.find()).toMatchObject({ until: 200_000 });
  await long.clock.advance(200_000);
  expect(long.routes.find(DOMAIN, long.view, RETRY, () => undefined)).toBeUndefined();
});

test('a domain that fails while others are answered is purged after dns_failures_to_purge retry intervals', async () => {
  const room = cache({ dns_failures_to_purge: 3, mx_failures_fallback_to_a: 0 });
  room.works('other.test', 1);
  let minutes = 0;
  for (;;) {
    await room.find(domainOf('other.test'));
    const route = await room.find();
    if (route?.kind === 'none') {
      expect(route.reply).toMatchObject({ code: 554, enhanced: '5.4.4' });
      break;
    }
    expect(route).toMatchObject({ kind: 'unknown' });
    await room.clock.advance(60_000);
    minutes++;
  }
  expect(minutes).toBe(40);
});

test('one answer is enough to count from zero again', async () => {
  const room = cache({ dns_failures_to_purge: 2, mx_failures_fallback_to_a: 0 });
  room.works('other.test', 1);
  for (let hour = 0; hour < 10; hour++) {
    await room.find(domainOf('other.test'));
    room.answers.set('dst.test MX', failed);
    expect(await room.find()).toMatchObject({ kind: 'unknown', failures: 1 });
    await room.clock.advance(1_800_000);
    room.works('dst.test', 1);
    expect(await room.find()).toMatchObject({ kind: 'ready' });
    await room.clock.advance(1_800_000);
  }
});

test('while nothing is answered at all nobody is purged, and an alert says so, now and then', async () => {
  const room = cache({ dns_failures_to_purge: 1, mx_failures_fallback_to_a: 0 });
  for (let minute = 0; minute < 60; minute++) {
    expect(await room.find()).toMatchObject({ kind: 'unknown' });
    await room.clock.advance(60_000);
  }
  expect(room.alerts.length).toBe(6);
  expect(room.alerts[0]).toBe(
    'DNS: no domain could be looked up for 4 min, the last one was dst.test. Mail waits for it and is charged nothing. Check the resolver.',
  );
});

test.each([
  [2, ['failed', 'failed', 'ready']],
  [-1, ['failed', 'ready', 'ready']],
  [0, ['failed', 'failed', 'failed']],
])('with mx_failures_fallback_to_a = %i the A record is asked in time', async (fallback, expected) => {
  const room = cache({ mx_failures_fallback_to_a: fallback });
  room.answers.set('dst.test A', {
    kind: 'found',
    records: [{ type: 'A', address: '192.0.2.9' }],
    ttl: 1 as never,
    authentic: false,
  });
  const seen: string[] = [];
  for (let i = 0; i < 3 && seen.at(-1) !== 'ready'; i++) {
    const route = await room.find();
    seen.push(route?.kind === 'ready' ? 'ready' : 'failed');
    await room.clock.advance(60_000);
  }
  expect(seen).toEqual(expected.slice(0, seen.length));
});

test('a refreshed domain is asked again, and who waited for the old look-up is woken', async () => {
  const room = cache();
  room.works('dst.test');
  let woken = 0;
  room.routes.find(DOMAIN, room.view, RETRY, () => void woken++);
  room.routes.refresh(DOMAIN);
  await room.clock.settle();
  expect([woken, room.routes.peek(DOMAIN)]).toEqual([1, undefined]);
  expect(await room.find()).toMatchObject({ kind: 'ready' });
});

test('a look-up that breaks down wakes who waits, and is asked again', async () => {
  const room = cache();
  room.answers.set('dst.test MX', () => Promise.reject(new Error('a bug')));
  let woken = 0;
  room.routes.find(DOMAIN, room.view, RETRY, () => void woken++);
  await room.clock.settle();
  expect(woken).toBe(1);
  expect(room.alerts).toEqual(['dst.test: its look-up broke down: a bug']);
  expect(room.routes.peek(DOMAIN)).toMatchObject({ kind: 'unknown', until: millis(60_000) });
});

test('a binding that has Routes of its own for a domain keeps them for itself', async () => {
  const { configuration } = await configured(
    `Domain "dst.test" { Routes = ( "192.0.2.3" ) }
     Binding_Group "g" { Binding "one" { Domain "dst.test" { Routes = ( "192.0.2.1" ) } } }
     Binding "two" { Domain "/^dst/" { Routes = ( "192.0.2.2" ) } }
     Binding "stream" { Delivery_Method = "ECSTREAM" }`,
    deliveryOptions,
  );
  const { routes, clock, works, answers } = cache();
  works('dst.test');
  answers.set('mx.dst.test A', {
    kind: 'found',
    records: [{ type: 'A', address: '192.0.2.9' }],
    ttl: 300 as never,
    authentic: false,
  });
  const seen: Record<string, string | undefined> = {};
  const views = ['one', 'two', 'other', 'stream'].map((binding) => {
    const generation = configuration.current;
    const view = generation.sending(generation.groupOf(bindingName(binding)), bindingName(binding), DOMAIN);
    return { binding, view };
  });
  const ask = async (): Promise<void> => {
    for (const { binding, view } of views) {
      routes.find(DOMAIN, view, RETRY, () => undefined);
      await clock.settle();
      const route = routes.find(DOMAIN, view, RETRY, () => undefined);
      seen[binding] = route?.kind === 'ready' ? route.addresses[0]?.ip : route?.kind;
    }
  };
  await ask();
  const expected = { one: '192.0.2.1', two: '192.0.2.2', other: '192.0.2.3', stream: '192.0.2.9' };
  expect(seen).toEqual(expected);
  // As it is refreshed for all of them.
  for (const forget of [() => routes.refresh(DOMAIN), () => routes.refresh()]) {
    forget();
    for (const { view } of views) expect(routes.find(DOMAIN, view, RETRY, () => undefined)).toBeUndefined();
    await clock.settle();
    await ask();
    expect(seen).toEqual(expected);
  }
});
