import { family, type Millis, millis } from '../base/index.ts';
import type { Gate, PairLimits } from '../shaping/index.ts';
import type { Chance } from '../world/index.ts';
import type { HostState } from './host-state.ts';
import type { RouteAddress } from './route.ts';

export type Choice =
  | { readonly kind: 'address'; readonly address: RouteAddress; readonly state: HostState }
  /** Every address failed lately; the first may be tried again then. `failures`: each has failed at least so often. */
  | { readonly kind: 'all bad'; readonly until: Millis; readonly failures: number }
  /** Limits of the hosts refuse, until an address has room or is well again. */
  | { readonly kind: 'limited'; readonly gate: Gate; readonly until: Millis }
  /** The binding has no address of the family of any of them. */
  | { readonly kind: 'out of reach' };

/** Milliseconds that every connection costs at least: keeps a fast host's weight finite. */
const LEAST_CONNECT = 5;

/**
 * Which address takes the next connection: the best preference with an address that is neither bad nor at its limits,
 * and within it by weight, so that connections spread over fast and idle addresses (spec/delivery 7.3, RFC 5321 §5.1).
 *
 * @param addresses  sorted by preference, not empty
 * @param rules  `onlyFamily`: only addresses of this family can be reached from the binding; undefined: any
 */
export function chooseHost(
  addresses: readonly RouteAddress[],
  stateOf: (address: RouteAddress) => HostState,
  limits: PairLimits,
  chance: Chance,
  now: Millis,
  rules: {
    readonly onlyFamily: 4 | 6 | undefined;
    readonly preferIpv6: boolean;
    /** Until when the pair itself will not have an address that is well for others. */
    readonly shunnedUntil?: (address: RouteAddress) => Millis | undefined;
  },
): Choice {
  let gate: Gate | undefined;
  let soonest = Number.POSITIVE_INFINITY;
  let failures = Number.POSITIVE_INFINITY;
  for (let from = 0; from < addresses.length; ) {
    let to = from;
    while (to < addresses.length && addresses[to]?.preference === addresses[from]?.preference) to++;
    const usable: { readonly address: RouteAddress; readonly state: HostState; readonly weight: number }[] = [];
    for (let index = from; index < to; index++) {
      const address = addresses[index];
      if (address === undefined) continue;
      if (rules.onlyFamily !== undefined && rules.onlyFamily !== family(address.ip)) continue;
      const state = stateOf(address);
      failures = Math.min(failures, state.failures);
      const until = Math.max(state.badUntil, rules.shunnedUntil?.(address) ?? 0);
      if (until > now) {
        soonest = Math.min(soonest, until);
        continue;
      }
      if (!limits.hostMayConnect(address.host, now)) {
        gate = limits.gate;
        soonest = Math.min(soonest, limits.until);
        continue;
      }
      usable.push({ address, state, weight: 1 / (LEAST_CONNECT + state.connectMillis) / (1 + state.open) });
    }
    const sixes = rules.preferIpv6 ? usable.filter((each) => family(each.address.ip) === 6) : [];
    const chosen = pick(sixes.length > 0 ? sixes : usable, chance);
    if (chosen !== undefined) return { kind: 'address', address: chosen.address, state: chosen.state };
    from = to;
  }
  if (gate !== undefined) return { kind: 'limited', gate, until: millis(soonest) };
  if (failures === Number.POSITIVE_INFINITY) return { kind: 'out of reach' };
  return { kind: 'all bad', until: millis(soonest), failures };
}

function pick<T extends { readonly weight: number }>(from: readonly T[], chance: Chance): T | undefined {
  if (from.length < 2) return from[0];
  let sum = 0;
  for (const each of from) sum += each.weight;
  let at = chance.next() * sum;
  for (const each of from) {
    at -= each.weight;
    if (at < 0) return each;
  }
  return from.at(-1);
}
