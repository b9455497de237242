import { type Millis, millis, type Seconds, seconds } from '../../base/index.ts';
import { ValueError, type ValueType } from '../option.ts';
import { scalar } from './scalar.ts';

/** Whole seconds, or with a unit: `90s`, `5m`, `2h`, `1d`, `"2 hours"`. */
export const duration: ValueType<Seconds> = {
  title: 'a duration in seconds, or with a unit as 90s, 5m, 2h, 1d',
  shape: { kind: 'duration', unit: 'seconds' },
  read(raw) {
    const wanted = inUnits(scalar(raw, duration.title), SECONDS);
    if (wanted === undefined) throw new ValueError(duration.title);
    return seconds(wanted);
  },
};

/** Whole milliseconds, or with a unit: `250ms`, `5s`, `2m`. */
export const milliseconds: ValueType<Millis> = {
  title: 'a duration in milliseconds, or with a unit as 250ms, 5s, 2m',
  shape: { kind: 'duration', unit: 'milliseconds' },
  read(raw) {
    const wanted = inUnits(scalar(raw, milliseconds.title), MILLISECONDS);
    if (wanted === undefined) throw new ValueError(milliseconds.title);
    return millis(wanted);
  },
};

const SECONDS: ReadonlyMap<string, number> = new Map([['', 1], ...named(1)]);
const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['ms', 1],
  ['millisecond', 1],
  ['milliseconds', 1],
  ...named(1000),
]);

function named(second: number): [string, number][] {
  const units: readonly [string, number][] = [
    ['s sec secs second seconds', 1],
    ['m min mins minute minutes', 60],
    ['h hour hours', 3600],
    ['d day days', 86400],
  ];
  return units.flatMap(([words, size]) => words.split(' ').map((word): [string, number] => [word, size * second]));
}

function inUnits(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^([0-9]{1,16}) *([a-z]*)$/i.exec(text.trim());
  const unit = units.get(match?.[2]?.toLowerCase() ?? '');
  if (!match || unit === undefined) return undefined;
  const wanted = Number(match[1]) * unit;
  return Number.isSafeInteger(wanted) ? wanted : undefined;
}
