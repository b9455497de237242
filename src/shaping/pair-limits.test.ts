import { expect, test } from 'vitest';
import { domainOf, generationOf, type Values } from '../../test/support/generation.ts';
import { bindingName, millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { gates } from './gates.ts';
import { PairLimits } from './pair-limits.ts';
import { Shaping } from './shaping.ts';

function house(values: Values = {}) {
  let generation: Generation = generationOf(values);
  const shaping = new Shaping(() => generation);
  const woken: string[] = [];
  return {
    shaping,
    woken,
    pair: (domain: string, binding = 'default') =>
      new PairLimits(shaping, { binding: bindingName(binding), domain: domainOf(domain) }, () => woken.push(domain)),
    commit(next: Values) {
      generation = generationOf(next, generation.number + 1);
    },
  };
}

const at = millis;
/** The gate that refused, with the time it named; undefined when it was open. */
const refusal = (limits: PairLimits, granted: boolean): string | undefined =>
  granted ? undefined : `${gates[limits.gate]} ${limits.until}`;
const asked = (limits: PairLimits, now = 0): string | undefined => refusal(limits, limits.mayConnect(at(now)));

test('without any limit in the way the answer is yes, and a goal follows the queue', () => {
  const limits = house().pair('a.test');
  expect(asked(limits)).toBeUndefined();
  expect([limits.goal(0), limits.goal(1), limits.goal(400)]).toEqual([0, 1, 32]);
  expect(gates[limits.gate]).toBe('open');
});

test('suspended: no connection and no message, until a commit', () => {
  const { pair, commit } = house({ global: { suspend_delivery: true } });
  const limits = pair('a.test');
  expect(asked(limits)).toBe('suspended Infinity');
  expect(refusal(limits, limits.messages('h', 5, at(0)) > 0)).toBe('suspended Infinity');
  commit({});
  expect([asked(limits), limits.suspended]).toEqual([undefined, false]);
});

test('server cap: all pairs together; who was refused is woken by the next that leaves', () => {
  const { pair, woken } = house({ global: { server_max_outbound_connections: 2 } });
  const [a, b] = [pair('a.test'), pair('b.test')];
  const grants = [a.connect('h', at(0)), a.connect('h', at(0))];
  expect(asked(b)).toBe('server cap Infinity');
  expect(woken).toEqual([]);
  grants[0]?.[Symbol.dispose]();
  expect(woken).toEqual(['b.test']);
  expect(asked(b)).toBeUndefined();
});

test('a server cap of -1 is none', () => {
  const { pair } = house({ global: { server_max_outbound_connections: -1 } });
  expect(asked(pair('a.test'))).toBeUndefined();
});

test('server_max_outbound_connections in a stanza is the total of that stanza', () => {
  const { pair } = house({ domains: { 'a.test': { server_max_outbound_connections: 1 } } });
  const [a, same, other] = [pair('a.test', 'one'), pair('a.test', 'two'), pair('b.test')];
  a.connect('h', at(0));
  expect([asked(same), asked(other)]).toEqual(['server cap Infinity', undefined]);
});

test('scope cap: shared by all who reach the stanza that sets it', () => {
  const { pair, woken } = house({ domains: { 'a.test': { scope_max_outbound_connections: 1 } } });
  const [one, two, other] = [pair('a.test', 'one'), pair('a.test', 'two'), pair('b.test')];
  const grant = one.connect('h', at(0));
  expect([asked(two), asked(other)]).toEqual(['scope cap Infinity', undefined]);
  grant[Symbol.dispose]();
  expect(woken).toEqual(['a.test']);
});

test('pair cap: each pair has its own; 0 is none at all, -1 no limit', () => {
  const { pair } = house({
    global: { max_outbound_connections: 1 },
    domains: { 'none.test': { max_outbound_connections: 0 }, 'free.test': { max_outbound_connections: -1 } },
  });
  const [a, b] = [pair('a.test'), pair('b.test')];
  const grant = a.connect('h', at(0));
  expect([asked(a), asked(b), asked(pair('none.test'))]).toEqual(['pair cap Infinity', undefined, 'pair cap Infinity']);
  grant[Symbol.dispose]();
  expect(asked(a)).toBeUndefined();
  const free = pair('free.test');
  for (let i = 0; i < 100; i++) free.connect('h', at(0));
  expect(asked(free)).toBeUndefined();
});

test('connection throttle: so many in a period, and when there is room again', () => {
  const { pair } = house({ global: { outbound_throttle_connections: { count: 2, seconds: 64 } } });
  const [a, b] = [pair('a.test'), pair('b.test')];
  a.connect('h', at(0));
  b.connect('h', at(0));
  expect([asked(a, 10), asked(b, 10)]).toEqual(['connection throttle 65001', 'connection throttle 65001']);
  expect(asked(a, 65_000)).toBeUndefined();
});

test('message throttle: units are taken from pair and host at once, or from none', () => {
  const { pair } = house({
    global: { outbound_throttle_messages: { count: 10, seconds: 64 } },
    hosts: { h: { outbound_throttle_messages: { count: 3, seconds: 640 } } },
  });
  const limits = pair('a.test');
  expect([limits.room('h', 5, at(0)), limits.room('other', 50, at(0))]).toEqual([3, 10]);
  expect(limits.messages('h', 5, at(0))).toBe(3);
  expect(refusal(limits, limits.messages('h', 5, at(0)) > 0)).toBe('message throttle 650001');
  expect(limits.messages('other', 50, at(0))).toBe(7);
  expect(refusal(limits, limits.messages('other', 1, at(0)) > 0)).toBe('message throttle 65001');
});

test('no connection is opened that could not send anything', () => {
  const { pair } = house({ global: { outbound_throttle_messages: { count: 2, seconds: 64 } } });
  const limits = pair('a.test');
  limits.connect('h', at(0));
  expect(asked(limits)).toBeUndefined();
  limits.connect('h', at(0));
  // Two connections for two units; they are theirs for as long as a connection takes to be made.
  expect(asked(limits)).toBe('message throttle 1001');
  expect(asked(limits, 1500)).toBe('message throttle 2500');
  expect(asked(limits, 2000)).toBeUndefined();
});

test('host cap: per binding and host, counted over all domains', () => {
  const { pair, woken } = house({ hosts: { h: { max_outbound_connections: 1 } } });
  const [a, b, other] = [pair('a.test'), pair('b.test'), pair('c.test', 'other')];
  const grant = a.connect('h', at(0));
  expect(refusal(b, b.hostMayConnect('h', at(0)))).toBe('host cap Infinity');
  expect([b.hostMayConnect('i', at(0)), other.hostMayConnect('h', at(0))]).toEqual([true, true]);
  grant[Symbol.dispose]();
  expect(woken).toEqual(['b.test']);
  expect(b.hostMayConnect('h', at(0))).toBe(true);
});

test('host cap: scope_max_outbound_connections there is shared by all bindings', () => {
  const { pair } = house({ hosts: { h: { scope_max_outbound_connections: 1 } } });
  pair('a.test', 'one').connect('h', at(0));
  const limits = pair('a.test', 'two');
  expect(refusal(limits, limits.hostMayConnect('h', at(0)))).toBe('host cap Infinity');
});

test('host throttles, of connections and of messages, close the host', () => {
  const { pair } = house({
    hosts: {
      c: { outbound_throttle_connections: { count: 1, seconds: 64 } },
      m: { outbound_throttle_messages: { count: 1, seconds: 64 } },
    },
  });
  const limits = pair('a.test');
  limits.connect('c', at(0));
  expect(refusal(limits, limits.hostMayConnect('c', at(5)))).toBe('host cap 65001');
  limits.messages('m', 1, at(0));
  expect(refusal(limits, limits.hostMayConnect('m', at(5)))).toBe('host cap 65001');
});

test('hosts that nobody is connected to are not counted, however many there were', () => {
  const { pair, shaping } = house({ hosts: { h7: { max_outbound_connections: 0 } } });
  const limits = pair('a.test');
  for (let i = 0; i < 1000; i++) {
    if (limits.hostMayConnect(`h${i}`, at(0))) limits.connect(`h${i}`, at(0))[Symbol.dispose]();
  }
  expect(shaping.countedHosts).toBe(0);
  expect(limits.hostMayConnect('h7', at(0))).toBe(false);
  expect(shaping.countedHosts).toBe(1);
  limits.close();
  expect(shaping.countedHosts).toBe(0);
});

test('a pair that is forgotten waits for nothing, and passes on what it was offered', () => {
  const { pair, woken } = house({ global: { server_max_outbound_connections: 1 } });
  const [a, b, c] = [pair('a.test'), pair('b.test'), pair('c.test')];
  const grant = a.connect('h', at(0));
  b.mayConnect(at(0));
  c.mayConnect(at(0));
  grant[Symbol.dispose]();
  expect(woken).toEqual(['b.test']);
  b.close();
  expect(woken).toEqual(['b.test', 'c.test']);
});

test('who has connected waits no more', () => {
  const { pair, woken } = house({ hosts: { h: { max_outbound_connections: 1 } } });
  const [a, b] = [pair('a.test'), pair('b.test')];
  const grant = a.connect('h', at(0));
  b.hostMayConnect('h', at(0));
  b.connect('other', at(0));
  grant[Symbol.dispose]();
  expect(woken).toEqual([]);
});

test('a commit that changes the count of a throttle gives nobody a second helping', () => {
  const { pair, commit } = house({ global: { outbound_throttle_messages: { count: 10, seconds: 60 } } });
  const limits = pair('a.test');
  expect(limits.messages('h', 10, at(0))).toBe(10);
  commit({ global: { outbound_throttle_messages: { count: 12, seconds: 60 } } });
  expect(limits.messages('h', 10, at(0))).toBe(2);
  commit({ global: { outbound_throttle_messages: { count: 5, seconds: 60 } } });
  expect(limits.messages('h', 10, at(0))).toBe(0);
});

test('values follow the generation, the binding group included', () => {
  const { pair, commit } = house({ global: { max_outbound_connections: 1 } });
  const limits = pair('a.test');
  expect(limits.goal(1000)).toBe(1);
  commit({ global: { max_outbound_connections: 7 } });
  expect([limits.goal(1000), limits.group]).toEqual([7, 'default']);
});
