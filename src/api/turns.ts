import type { Clock } from '../world/index.ts';

/** So many, and others get their turn: a scan over a million queues must not hold up the mail. */
const AT_ONCE = 500;

/** The same things one after the other, with a pause now and then. */
export async function* inTurns<T>(things: Iterable<T>, clock: Pick<Clock, 'defer'>): AsyncGenerator<T> {
  let count = 0;
  for (const thing of things) {
    yield thing;
    if (++count % AT_ONCE === 0) await new Promise<void>((resolve) => clock.defer(resolve));
  }
}
