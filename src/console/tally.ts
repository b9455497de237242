import type { Domain } from '../base/index.ts';
import type { MailQueue, Queues } from '../queue/index.ts';
import type { DeliveryView } from './house.ts';

/**
 * Sums over all pairs. There may be a million of them: each generator yields an empty string a pair, which the server
 * takes as a chance to let others run.
 */
export function* sumQueues(
  queues: Pick<Queues, 'all'>,
): Generator<string, { active: number; delayed: number; total: number }> {
  const sum = { active: 0, delayed: 0, total: 0 };
  for (const queue of queues.all()) {
    sum.active += queue.active;
    sum.delayed += queue.delayed;
    sum.total += queue.active + queue.delayed + queue.inFlight;
    yield '';
  }
  return sum;
}

/** The end of such a walk, without pauses: for a console that waits for it. */
export function allAtOnce<T>(walk: Generator<string, T>): T {
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
  }
}

/** All pairs of a domain, or of all domains, or on one binding only. */
export function* queuesOf(
  queues: Pick<Queues, 'all'>,
  wanted: { readonly domain?: Domain | undefined; readonly binding?: string | undefined },
): Generator<string, MailQueue[]> {
  const found: MailQueue[] = [];
  for (const queue of queues.all()) {
    if (
      (wanted.domain === undefined || queue.domain === wanted.domain) &&
      (wanted.binding === undefined || queue.binding === wanted.binding)
    ) {
      found.push(queue);
    }
    yield '';
  }
  return found;
}

/** How many connections there are under each key. */
export function countConnections(
  delivery: DeliveryView,
  key: 'binding' | 'domain',
  onlyBinding?: string,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const connection of delivery.connections()) {
    if (onlyBinding !== undefined && connection.binding !== onlyBinding) continue;
    counts.set(connection[key], (counts.get(connection[key]) ?? 0) + 1);
  }
  return counts;
}
