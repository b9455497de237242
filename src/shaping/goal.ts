/** How steeply connections grow with the queue: `connection_allocation_aggressiveness` (spec/delivery 5.2). */
const STEEPNESS = { normal: 0.3, high: 0.75 } as const;

/** A cap of -1 means no limit; the curve then behaves as with this many. */
const UNLIMITED_AS = 1000;

/**
 * How many connections a pair wants for its active queue.
 *
 * @param queued  active messages
 * @param cap     `max_outbound_connections`; -1 unlimited
 * @returns 0 for an empty queue or a cap of 0, else at least 1 and at most `cap` and `queued`
 * @see manual page connection_allocation_aggressiveness
 */
export function connectionGoal(queued: number, cap: number, aggressiveness: keyof typeof STEEPNESS): number {
  const most = cap < 0 ? UNLIMITED_AS : cap;
  if (queued <= 0 || most === 0) return 0;
  const goal = most * (1 - Math.exp((-STEEPNESS[aggressiveness] * queued) / most));
  return Math.max(1, Math.min(Math.ceil(goal), queued, most));
}
