import type { Millis } from '../base/index.ts';
import type { QueueItem } from './item.ts';

/** From reception to the first notice of a delay; each later one comes after twice as long (delay_dsn's own defaults). */
const FIRST_DELAY = 3_600_000;
const LONGEST_DELAY = 43_200_000;

/**
 * Whether a sender who asked for it (NOTIFY=DELAY, RFC 3461 §4.1) is to be told now that his message waits: a moment for
 * a notice passes before the next attempt. Nothing is remembered: the times between one attempt's due time and the
 * next lie side by side, restarts included, so that each moment is in one of them.
 *
 * @param date  now, in case that the attempt that has failed came early @param next  when the next attempt is due
 */
export function delayIsDue(item: QueueItem, date: Millis, next: Millis): boolean {
  const { requests } = item.path;
  if (requests?.notify?.includes('DELAY') !== true || item.message.envelope.reversePath === '') return false;
  const { receivedAt } = item.batch;
  const from = Math.min(item.nextAttempt, date);
  let moment = receivedAt + FIRST_DELAY;
  for (let wait = FIRST_DELAY; moment <= next; ) {
    if (moment > from) return true;
    wait = Math.min(2 * wait, LONGEST_DELAY);
    moment += wait;
  }
  return false;
}
