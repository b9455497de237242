import {
  boolean,
  duration,
  enumeration,
  integer,
  option,
  optional,
  text,
  ValueError,
  type ValueType,
} from '../config/index.ts';

/** `auto`, `none`, or how often a message is tried again (manual page max_retries). */
export type RetryLimit = 'auto' | 'none' | number;

const retryLimit: ValueType<RetryLimit> = {
  title: 'auto, none or an integer',
  read(raw) {
    const word = raw.kind === 'text' ? raw.text.toLowerCase() : '';
    if (word === 'auto' || word === 'none') return word;
    const count = integer.read(raw);
    if (count < 0) throw new ValueError('auto, none or an integer of 0 or more');
    return count;
  },
};

export const retryInterval = option('retry_interval', duration);
export const maxRetryInterval = option('max_retry_interval', duration);
export const maxRetries = option('max_retries', retryLimit);
export const messageExpiration = option('message_expiration', duration);
export const neverRetry = option('never_retry', boolean);
export const neverAttemptExpiredMessages = option('never_attempt_expired_messages', boolean);
/** `true` is `inline`: reception refuses the recipient; what is queued fails in either case. */
export const blackhole = option('blackhole', enumeration('false', 'true', 'inline', 'internal'));
export const gateway = option('gateway', optional(text));
export const maxRecipientsPerBatch = option('max_recipients_per_batch', integer);

/** Active messages of a pair whose bodies stay in memory; -1: all, as far as the other limits allow. */
export const maxResidentActiveQueue = option('max_resident_active_queue', integer);

export const queueOptions = [
  maxResidentActiveQueue,
  retryInterval,
  maxRetryInterval,
  maxRetries,
  messageExpiration,
  neverRetry,
  neverAttemptExpiredMessages,
  blackhole,
  gateway,
  maxRecipientsPerBatch,
];
