import { type Command, InvalidArgumentError } from 'commander';
import { type Millis, millis } from '../base/index.ts';
import { type Pattern, rawOf, regex, ValueError } from '../config/index.ts';
import { civilTime } from '../message/index.ts';
import type { SpoolEntry } from './spool-entry.ts';

/** Which messages are meant; the words are Momentum's (manual page ec_show). */
export interface SpoolFilter {
  readonly sender?: Pattern;
  readonly recipient?: Pattern;
  readonly start_date?: Millis;
  readonly end_date?: Millis;
}

export function withFilterOptions(command: Command): Command {
  return command
    .option('--sender <pcre>', 'only from senders in which the pattern is found', pattern)
    .option('--recipient <pcre>', 'only to recipients in which the pattern is found', pattern)
    .option(
      '--start_date <date>',
      'only received then or later: 2026-03-05, 2026-03-05T10:11, seconds since 1970',
      start,
    )
    .option(
      '--end_date <date>',
      'only received then or before, dates as above, in UTC; a day is meant to its end',
      end,
    );
}

export function passes(filter: SpoolFilter, entry: SpoolEntry): boolean {
  const { sender, recipient, start_date: first, end_date: last } = filter;
  if (first !== undefined && entry.receivedAt < first) return false;
  if (last !== undefined && entry.receivedAt > last) return false;
  if (sender !== undefined && !sender.test(entry.sender)) return false;
  return recipient === undefined || recipient.test(entry.recipient);
}

function pattern(text: string): Pattern {
  try {
    return regex.read(rawOf(text));
  } catch (error) {
    if (error instanceof ValueError) throw new InvalidArgumentError(`Expected ${error.message}.`);
    throw error;
  }
}

const start = (text: string): Millis => stretch(text).from;
const end = (text: string): Millis => stretch(text).to;

const DAY = 86_400_000;

/** The day, minute or second that a date names: its first and its last millisecond. */
function stretch(text: string): { readonly from: Millis; readonly to: Millis } {
  if (/^\d{1,11}$/.test(text)) return lasting(Number(text) * 1000, 1000);
  const parts = /^(\d{4})[-/](\d\d?)[-/](\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d))?)?Z?$/.exec(text);
  if (parts !== null) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
      .slice(1)
      .map((part) => Number(part ?? 0));
    const at = epochOf(year, month, day);
    const civil = civilTime(millis(at));
    const real = civil.year === year && civil.month === month && civil.day === day;
    if (real && hour < 24 && minute < 60 && second < 60) {
      const length = parts[4] === undefined ? DAY : parts[6] === undefined ? 60_000 : 1000;
      return lasting(at + ((hour * 60 + minute) * 60 + second) * 1000, length);
    }
  }
  throw new InvalidArgumentError('Write a date as 2026-03-05, 2026-03-05T10:11:12, or seconds since 1970; all in UTC.');
}

const lasting = (from: number, length: number): { readonly from: Millis; readonly to: Millis } => ({
  from: millis(from),
  to: millis(from + length - 1),
});

/** Midnight of a day in milliseconds since the epoch: `civilTime` the other way round. */
function epochOf(year: number, month: number, day: number): number {
  // Years begin in March, so that the leap day is their last.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * 146_097 + dayOfEra - 719_468) * DAY;
}
