import { type Millis, millis } from '../base/index.ts';
import { civilTime, type MessageId } from '../message/index.ts';
import { type RetryState, readRetryState } from '../queue/index.ts';
import type { KeptReception } from '../spool/index.ts';
import { harmless } from './spool-lines.ts';

/** One message of the queue, as Momentum counts them: one recipient of a reception. */
export interface SpoolEntry {
  readonly id: MessageId;
  readonly batchId: MessageId;
  readonly receivedAt: Millis;
  readonly size: number;
  readonly retries: number;
  /** Of one that was never tried: when it came. */
  readonly nextAttempt: Millis;
  readonly sender: string;
  readonly recipient: string;
  readonly binding: string;
  /** Delivered, failed or discarded; the reception is kept for its other recipients. */
  readonly finished: boolean;
}

/** All recipients of a reception, finished ones too. */
export function entriesOf({ envelope, done, state }: KeptReception): readonly SpoolEntry[] {
  const { batchId, receivedAt, size, reversePath } = envelope;
  const finished = new Set(done);
  const states = new Map<number, RetryState>();
  for (const each of state === undefined ? [] : readRetryState(state)) states.set(each.recipient, each);
  return envelope.recipients.map(({ id, path, binding }, index) => ({
    id,
    batchId,
    receivedAt,
    size,
    retries: states.get(index)?.retries ?? 0,
    nextAttempt: states.get(index)?.nextAttempt ?? receivedAt,
    sender: reversePath,
    recipient: path,
    binding,
    finished: finished.has(index),
  }));
}

/** `ID AGE SIZE RETRIES NEXT-ATTEMPT <FROM> <TO>`, in columns as long as nothing is out of the ordinary. */
export function entryLine(entry: SpoolEntry, now: Millis): string {
  const age = ageText(millis(now - entry.receivedAt)).padStart(7);
  const [size, retries] = [String(entry.size).padStart(9), String(entry.retries).padStart(3)];
  const paths = `<${harmless(entry.sender)}> <${harmless(entry.recipient)}>`;
  return `${entry.id} ${age} ${size} ${retries} ${timeText(entry.nextAttempt)} ${paths}\n`;
}

/** What `--json` says of one, on a line of its own. */
export function entryObject(entry: SpoolEntry): Readonly<Record<string, unknown>> {
  return {
    id: entry.id,
    batch: entry.batchId,
    received: timeText(entry.receivedAt),
    size: entry.size,
    retries: entry.retries,
    next_attempt: timeText(entry.nextAttempt),
    sender: entry.sender,
    recipient: entry.recipient,
    binding: entry.binding,
  };
}

/** `2026-03-05T10:11:12Z` */
export function timeText(at: Millis): string {
  const { year, month, day, hour, minute, second } = civilTime(at);
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
}

/** Two units: `12s`, `5m03s`, `2h05m`, `3d04h`. */
export function ageText(age: Millis): string {
  const total = Math.max(0, Math.floor(age / 1000));
  if (total < 60) return `${total}s`;
  if (total < 3600) return `${Math.floor(total / 60)}m${two(total % 60)}s`;
  if (total < 86_400) return `${Math.floor(total / 3600)}h${two(Math.floor(total / 60) % 60)}m`;
  return `${Math.floor(total / 86_400)}d${two(Math.floor(total / 3600) % 24)}h`;
}

const two = (value: number): string => String(value).padStart(2, '0');
