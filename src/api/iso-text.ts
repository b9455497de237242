import { civilTime, type Millis } from '../base/index.ts';

/** `2030-01-31T08:00:00+00:00`. */
export function isoText(at: Millis): string {
  const { year, month, day, hour, minute, second } = civilTime(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}+00:00`;
}
