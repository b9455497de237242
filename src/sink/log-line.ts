import type { Millis } from '../base/index.ts';
import { civilTime, fieldValue, findField } from '../message/index.ts';
import { type Reply, replyText } from '../smtp/index.ts';
import type { Verdict } from './counters.ts';

/** What a line of `impetus sink --log` says. */
export interface Logged {
  readonly date: Millis;
  readonly verdict: Verdict;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly bytes: number;
  /** undefined when the connection was dropped instead. */
  readonly reply: Reply | undefined;
  readonly subject: string;
}

/**
 * `2026-03-03T10:00:00.123Z accepted from=<a@b> to=<c@d>,<e@f> bytes=512 reply="250 2.0.0 taken" subject="hello"`
 */
export function logLine(logged: Logged): string {
  const said = logged.reply === undefined ? '' : replyText(logged.reply);
  const to = logged.recipients.map((path) => `<${bare(path)}>`).join(',');
  return (
    `${isoDate(logged.date)} ${logged.verdict} from=<${bare(logged.reversePath)}> to=${to} bytes=${logged.bytes} ` +
    `reply="${quoted(said)}" subject="${quoted(logged.subject)}"`
  );
}

/** @param header  as `Transaction.header` gives it  @returns empty when there is none */
export function subjectOf(header: Uint8Array): string {
  const field = findField(header, 'subject');
  return field === undefined ? '' : fieldValue(header, field).slice(0, 200);
}

function isoDate(date: Millis): string {
  const time = civilTime(date);
  const two = (value: number): string => String(value).padStart(2, '0');
  const milliseconds = String(((Math.floor(date) % 1000) + 1000) % 1000).padStart(3, '0');
  return `${time.year}-${two(time.month)}-${two(time.day)}T${two(time.hour)}:${two(time.minute)}:${two(time.second)}.${milliseconds}Z`;
}

/** A peer's text must neither end the line nor steer a terminal. */
const bare = (text: string): string => text.replace(/[\x00-\x20\x7f-\xff]/g, '?');
const quoted = (text: string): string => text.replace(/"/g, "'").replace(/[\x00-\x1f\x7f-\xff]/g, '?');
