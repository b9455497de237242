import type { Millis, Seconds } from '../base/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import type { RetryLimit } from './options.ts';

/** The options of one pair that decide when, and whether, a deferred message is tried again. */
export interface RetryRules {
  readonly retryInterval: Seconds;
  readonly maxRetryInterval: Seconds;
  readonly maxRetries: RetryLimit;
  readonly messageExpiration: Seconds;
  readonly neverRetry: boolean;
}

export type RetryDecision =
  | { readonly kind: 'again'; readonly at: Millis }
  | { readonly kind: 'give up'; readonly expired: boolean; readonly reply: Reply };

/** Of a message that is over its deadline. */
export const TOO_OLD = reply(554, '5.4.7', '[internal] exceeded max time without delivery');
const TOO_OFTEN = reply(554, '5.4.7', '[internal] exceeded max retries without delivery');

/** Milliseconds: with `retry_interval = 0` a message would be tried without end. */
const LEAST_WAIT = 1000;

/**
 * What becomes of a message after a transient failure.
 *
 * @param retries  retries made so far, 0 when the first attempt has failed
 * @param created  when it was received, milliseconds since the epoch
 * @param now      milliseconds since the epoch
 * @returns the next attempt, never beyond the deadline, so that there is one last try at it; or the end
 * @see spec/delivery 3.4, 3.5; manual pages retry_interval, max_retries, message_expiration; RFC 5321 §4.5.4.1
 */
export function afterFailure(rules: RetryRules, retries: number, created: Millis, now: Millis): RetryDecision {
  if (rules.neverRetry) return { kind: 'give up', expired: false, reply: TOO_OFTEN };
  const deadline = created + rules.messageExpiration * 1000;
  if (now >= deadline) return { kind: 'give up', expired: true, reply: TOO_OLD };
  if (retries >= retryCount(rules)) return { kind: 'give up', expired: false, reply: TOO_OFTEN };
  const wait = Math.max(retryDelay(rules, retries) * 1000, LEAST_WAIT);
  return { kind: 'again', at: Math.min(now + wait, deadline) as Millis };
}

/** @returns seconds to wait after the failure of attempt `retries` (0 the first): doubled each time, up to the cap */
export function retryDelay(rules: Pick<RetryRules, 'retryInterval' | 'maxRetryInterval'>, retries: number): number {
  // 2 ** 1024 is Infinity, and Math.min keeps that harmless.
  return Math.min(rules.retryInterval * 2 ** retries, rules.maxRetryInterval);
}

/** How many retries `max_retries` stands for: `auto` counts the waits that fit before expiration, and the last try. */
function retryCount(rules: RetryRules): number {
  if (rules.maxRetries === 'none') return Number.POSITIVE_INFINITY;
  if (rules.maxRetries !== 'auto') return rules.maxRetries;
  let sum = 0;
  let count = 0;
  while (count < 10_000) {
    const wait = retryDelay(rules, count);
    sum += wait;
    if (sum >= rules.messageExpiration) break;
    if (wait <= 0) return Number.POSITIVE_INFINITY;
    count++;
  }
  return count + 1;
}
