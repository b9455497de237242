import { civilTime, type Millis } from '../base/index.ts';

export { type CivilTime, civilTime } from '../base/index.ts';

export const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
export const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** RFC 5322 §3.3 in UTC: `Tue, 14 Nov 2023 22:13:20 +0000`. */
export function mailDate(at: Millis): string {
  const time = civilTime(at);
  const day = dayNames[time.weekday] ?? '';
  const month = monthNames[time.month - 1] ?? '';
  const year = String(time.year).padStart(4, '0');
  return `${day}, ${two(time.day)} ${month} ${year} ${two(time.hour)}:${two(time.minute)}:${two(time.second)} +0000`;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));
