import type { Millis } from '../base/index.ts';
import { type Because, because, type GateName, gates } from '../shaping/index.ts';
import type { Clock } from '../world/index.ts';
import { retryInterval } from './options.ts';
import type { Pair } from './pair.ts';
import type { Item } from './queues.ts';

/** Why mail waits, in words: made only when somebody asks. Times are milliseconds since the epoch. */
export interface Explanation {
  readonly gate: GateName | 'being delivered' | 'not before';
  readonly because: Because | undefined;
  readonly since: Millis | undefined;
  /** The earliest time at which this can change by itself; undefined when only an event or an operator changes it. */
  readonly until: Millis | undefined;
}

/** @returns why the active messages of a pair are not on their way; `open` when nothing holds them */
export function explainPair(pair: Pair, clock: Clock): Explanation {
  const name = pair.limits.suspended ? 'suspended' : (gates[pair.heldBy] ?? 'open');
  const toDate = clock.date() - clock.now();
  return {
    gate: name,
    because: because(pair.limits.view, name),
    since: name === 'open' ? undefined : ((pair.heldSince + toDate) as Millis),
    until:
      Number.isFinite(pair.heldUntil) && pair.heldUntil > clock.now()
        ? ((pair.heldUntil + toDate) as Millis)
        : undefined,
  };
}

/** @returns why one message is where it is */
export function explainItem(item: Item, pair: Pair, clock: Clock): Explanation {
  if (item.state === 'in flight')
    return { gate: 'being delivered', because: undefined, since: undefined, until: undefined };
  if (item.state !== 'delayed') return explainPair(pair, clock);
  if (item.notBefore !== undefined && item.notBefore > clock.date())
    return { gate: 'not before', because: undefined, since: undefined, until: item.nextAttempt };
  const { view } = pair.limits;
  return {
    gate: 'retry time',
    because: { option: retryInterval.name, value: String(view.get(retryInterval)), owner: view.owner(retryInterval) },
    since: undefined,
    until: item.nextAttempt,
  };
}
