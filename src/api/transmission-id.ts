import type { Millis } from '../base/index.ts';
import type { Chance, Clock } from '../world/index.ts';

/** 2020-01-01T00:00:00Z. */
const SINCE = 1_577_836_800_000;

/**
 * Ids of transmissions: 63 bits as a decimal number, 41 of milliseconds since 2020, 8 that each start draws, 14 that
 * count. They only grow, also when the wall clock goes back.
 */
export function transmissionIds(clock: Pick<Clock, 'date'>, chance: Pick<Chance, 'below'>): () => string {
  const node = BigInt(chance.below(255));
  let last: Millis | number = 0;
  let count = 0;
  return () => {
    const now = Math.max(Math.floor(clock.date()) - SINCE, 0);
    if (now > last) {
      last = now;
      count = 0;
    } else if (++count === 1 << 14) {
      last++;
      count = 0;
    }
    return ((BigInt(last) << 22n) | (node << 14n) | BigInt(count)).toString();
  };
}
