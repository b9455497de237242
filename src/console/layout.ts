import type { Millis } from '../base/index.ts';
import { civilTime, dayNames, monthNames } from '../message/index.ts';

/** A number at the right edge of a column; wider ones push the line, they are never cut. */
export const right = (value: number | string, width: number): string => String(value).padStart(width);

export const decimals = (value: number, places: number): string => value.toFixed(places);

/** One line of `summary` and its kin: tab, label, and the number from its right edge. */
export const figure = (label: string, value: number | string, unit = '', width = 6): string =>
  `\t${label}: ${right(value, width)}${unit === '' ? '' : ` ${unit}`}\n`;

/** `2003-12-01 02:15:45`, UTC. */
export function dateText(at: Millis): string {
  const time = civilTime(at);
  return `${String(time.year).padStart(4, '0')}-${two(time.month)}-${two(time.day)} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
}

/** `Sun 30 Nov 2003 10:31:37`, UTC: as `paniclog` has it. */
export function logDateText(at: Millis): string {
  const time = civilTime(at);
  const day = dayNames[time.weekday] ?? '';
  const month = monthNames[time.month - 1] ?? '';
  return `${day} ${two(time.day)} ${month} ${time.year} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
}

/** `192.0.2.1:25`, `[2001:db8::1]:25`. */
export const addressAndPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

const two = (value: number): string => String(value).padStart(2, '0');
