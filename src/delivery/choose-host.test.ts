import { expect, test } from 'vitest';
import { domainOf, generationOf, type Values } from '../../test/support/generation.ts';
import { bindingName, family, millis } from '../base/index.ts';
import { gate, PairLimits, Shaping } from '../shaping/index.ts';
import { SimChance } from '../world/sim/chance.ts';
import { chooseHost } from './choose-host.ts';
import { type HostState, HostStates } from './host-state.ts';
import type { RouteAddress } from './route.ts';

const NOW = millis(1000);
const address = (ip: string, preference = 10, host = `host-${ip}`): RouteAddress => ({
  ip,
  host,
  preference,
  port: undefined,
});

/** Chooses among addresses; `states` is what is known of some of them. */
function chooser(addresses: readonly RouteAddress[], values: Values = {}) {
  const generation = generationOf(values);
  const shaping = new Shaping(() => generation);
  const limits = new PairLimits(
    shaping,
    { binding: bindingName('default'), domain: domainOf('dst.test') },
    () => undefined,
  );
  const known = new HostStates();
  const chance = new SimChance(7);
  const stateOf = ({ ip }: RouteAddress): HostState => known.of('default', ip, 25, NOW);
  const choose = (rules: { onlyFamily?: 4 | 6; preferIpv6?: boolean } = {}) =>
    chooseHost(addresses, stateOf, limits, chance, NOW, {
      onlyFamily: rules.onlyFamily,
      preferIpv6: rules.preferIpv6 ?? false,
    });
  return {
    limits,
    state: (ip: string) => known.of('default', ip, 25, NOW),
    choose,
    /** How often each address was chosen. */
    spread(times: number, rules: { onlyFamily?: 4 | 6; preferIpv6?: boolean } = {}): Record<string, number> {
      const count: Record<string, number> = {};
      for (let i = 0; i < times; i++) {
        const choice = choose(rules);
        if (choice.kind === 'address') count[choice.address.ip] = (count[choice.address.ip] ?? 0) + 1;
      }
      return count;
    },
  };
}

test('never a worse preference as long as a better one is usable', () => {
  const { spread, state } = chooser([address('192.0.2.1', 10), address('192.0.2.2', 20)]);
  expect(spread(50)).toEqual({ '192.0.2.1': 50 });
  state('192.0.2.1').badUntil = millis(2000);
  expect(spread(50)).toEqual({ '192.0.2.2': 50 });
});

test('addresses of one preference are used evenly', () => {
  const { spread } = chooser([address('192.0.2.1'), address('192.0.2.2'), address('192.0.2.3')]);
  for (const times of Object.values(spread(3000))) expect(Math.abs(times - 1000)).toBeLessThan(150);
});

test('an address that is slow, or has connections already, gets less', () => {
  const slow = chooser([address('192.0.2.1'), address('192.0.2.2')]);
  slow.state('192.0.2.1').connectMillis = 95;
  expect(slow.spread(1000)['192.0.2.1']).toBeLessThan(100);
  const busy = chooser([address('192.0.2.1'), address('192.0.2.2')]);
  busy.state('192.0.2.1').open = 9;
  expect(busy.spread(1000)['192.0.2.1']).toBeLessThan(150);
});

test('when all are bad it says until when, and how often each has failed at least', () => {
  const { choose, state } = chooser([address('192.0.2.1'), address('192.0.2.2', 20)]);
  Object.assign(state('192.0.2.1'), { badUntil: millis(5000), failures: 3 });
  Object.assign(state('192.0.2.2'), { badUntil: millis(4000), failures: 7 });
  expect(choose()).toEqual({ kind: 'all bad', until: 4000, failures: 3 });
});

test('a host at its cap is passed over, to its siblings and to the next preference', () => {
  const values = { hosts: { one: { max_outbound_connections: 1 }, two: { max_outbound_connections: 0 } } };
  const { limits, choose } = chooser(
    [address('192.0.2.1', 10, 'one'), address('192.0.2.2', 10, 'two'), address('192.0.2.3', 20, 'three')],
    values,
  );
  expect(choose()).toMatchObject({ kind: 'address', address: { host: 'one' } });
  limits.connect('one', NOW);
  expect(choose()).toMatchObject({ kind: 'address', address: { host: 'three' } });
});

test('when some are at their limits and the others bad, the first of them to be usable says when', () => {
  const throttle = { outbound_throttle_connections: { count: 1, seconds: 100 } };
  const { limits, choose, state } = chooser([address('192.0.2.1', 10, 'one'), address('192.0.2.2', 20, 'two')], {
    hosts: { one: throttle },
  });
  limits.connect('one', NOW);
  state('192.0.2.2').badUntil = millis(9000);
  expect(choose()).toEqual({ kind: 'limited', gate: gate('host cap'), until: 9000 });
  state('192.0.2.2').badUntil = millis(500_000);
  const choice = choose();
  expect(choice.kind === 'limited' && choice.until).toBeGreaterThan(100_000);
  expect(choice.kind === 'limited' && choice.until).toBeLessThan(110_000);
});

test('prefer_ipv6_mxs counts within a preference only', () => {
  const mixed = chooser([address('192.0.2.1'), address('2001:db8::1')]);
  expect(mixed.spread(100, { preferIpv6: true })).toEqual({ '2001:db8::1': 100 });
  const apart = chooser([address('192.0.2.1', 10), address('2001:db8::1', 20)]);
  expect(apart.spread(100, { preferIpv6: true })).toEqual({ '192.0.2.1': 100 });
});

test('only the family that the binding has is used, and without any address of it nothing is in reach', () => {
  const mixed = chooser([address('192.0.2.1', 10), address('2001:db8::1', 20)]);
  expect(Object.keys(mixed.spread(50, { onlyFamily: 6 })).map(family)).toEqual([6]);
  const four = chooser([address('192.0.2.1')]);
  expect(four.choose({ onlyFamily: 6 })).toEqual({ kind: 'out of reach' });
});
