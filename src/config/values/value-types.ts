import { type Endpoint, nearest, parseEndpoint } from '../../base/index.ts';
import { ValueError, type ValueType } from '../option.ts';
import { compilePattern, type Pattern } from '../patterns/pattern.ts';
import type { ValueShape } from '../shape.ts';
import { scalar } from './scalar.ts';

/** N events in T seconds; the limit 0 is written by leaving it out. */
export interface ThrottleValue {
  readonly count: number;
  readonly seconds: number;
}

export const boolean: ValueType<boolean> = {
  title: 'a boolean, true or false',
  shape: { kind: 'boolean' },
  read(raw) {
    const value = BOOLEANS.get(scalar(raw, boolean.title).toLowerCase());
    if (value === undefined) throw new ValueError(boolean.title);
    return value;
  },
};

/** Decimal digits, a minus allowed, within what a number holds exactly. */
export const integer: ValueType<number> = wholeNumber('an integer', -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, {
  kind: 'integer',
});

/** An integer that must lie in a range, both ends included. */
export function integerBetween(least: number, most: number): ValueType<number> {
  return wholeNumber(`an integer from ${least} to ${most}`, least, most, { kind: 'integer', least, most });
}

/** The whole range of 64 bits; what a number cannot hold exactly is a bigint. */
export const bigInteger: ValueType<number | bigint> = {
  title: 'an integer',
  shape: { kind: 'integer' },
  read(raw) {
    const text = scalar(raw, bigInteger.title);
    if (!/^-?[0-9]{1,19}$/.test(text)) throw new ValueError(bigInteger.title);
    const value = BigInt(text);
    if (BigInt.asIntN(64, value) !== value) throw new ValueError('an integer of 64 bits');
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  },
};

export const port: ValueType<number> = wholeNumber('a port from 1 to 65535', 1, 65535, { kind: 'port' });

/** Bytes; `64k`, `10M` and `1G` count by 1024. */
export const size: ValueType<number> = {
  title: 'a size in bytes, or with a unit as 64k, 10M, 1G',
  shape: { kind: 'size' },
  read(raw) {
    const match = /^([0-9]{1,16}) *([kmgt]?)b?$/i.exec(scalar(raw, size.title));
    const bytes = Number(match?.[1]) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(match?.[2]?.toLowerCase() ?? '');
    if (!match || !Number.isSafeInteger(bytes)) throw new ValueError(size.title);
    return bytes;
  },
};

/** Permission bits: octal, with or without a leading zero. */
export const mode: ValueType<number> = {
  title: 'an octal mode as 0640',
  shape: { kind: 'mode' },
  read(raw) {
    const text = scalar(raw, mode.title);
    if (!/^[0-7]{1,5}$/.test(text) || Number.parseInt(text, 8) > 0o7777) throw new ValueError(mode.title);
    return Number.parseInt(text, 8);
  },
};

export const float: ValueType<number> = {
  title: 'a number',
  shape: { kind: 'number' },
  read(raw) {
    return decimal(scalar(raw, float.title), float.title);
  },
};

export const percent: ValueType<number> = {
  title: 'a percentage from 0 to 100',
  shape: { kind: 'percent' },
  read(raw) {
    const value = decimal(scalar(raw, percent.title).replace(/%$/, ''), percent.title);
    if (value < 0 || value > 100) throw new ValueError(percent.title);
    return value;
  },
};

/** `N` or `N/T`: N events in T seconds, T is 1 when left out. 0 is unlimited, and undefined here. */
export const throttle: ValueType<ThrottleValue | undefined> = {
  title: 'a rate as 100 or 100/60 (events / seconds)',
  shape: { kind: 'throttle' },
  absent: true,
  read(raw) {
    const text = scalar(raw, throttle.title).replaceAll(' ', '');
    const match = /^([0-9]{1,15})(?:\/([0-9]{1,15}))?$/.exec(text);
    if (!match) throw new ValueError(throttle.title);
    const count = Number(match[1]);
    const seconds = Number(match[2] ?? 1);
    if (seconds < 1) throw new ValueError(`${throttle.title}, over at least 1 second`);
    return count === 0 ? undefined : { count, seconds };
  },
};

/** One of the words, in any case; the value is spelled as here. */
export function enumeration<const W extends readonly string[]>(...words: W): ValueType<W[number]> {
  const title = `one of ${words.join(', ')}`;
  const known = new Map(words.map((word) => [word.toLowerCase(), word]));
  return {
    title,
    shape: { kind: 'enumeration', words },
    read(raw) {
      const written = scalar(raw, title);
      const word = known.get(written.toLowerCase());
      if (word !== undefined) return word;
      const near = nearest(written, words);
      throw new ValueError(near === undefined ? title : `${title}; did you mean '${near}'?`);
    },
  };
}

export const text: ValueType<string> = {
  title: 'a text',
  shape: { kind: 'text' },
  read(raw) {
    return scalar(raw, text.title);
  },
};

export const path: ValueType<string> = {
  title: 'a path',
  shape: { kind: 'path' },
  read(raw) {
    const value = scalar(raw, path.title);
    if (value === '') throw new ValueError('a path that is not empty');
    return value;
  },
};

/** A PCRE pattern that is searched, case-sensitively unless it begins with `(?i)`. */
export const regex: ValueType<Pattern> = {
  title: 'a regular expression',
  shape: { kind: 'regex' },
  read(raw, host) {
    return compilePattern(scalar(raw, regex.title), { place: raw.at, host });
  },
};

export const endpoint: ValueType<Endpoint> = {
  title: 'an endpoint as 127.0.0.1:25, [::1]:25 or /path',
  shape: { kind: 'endpoint' },
  read(raw) {
    const value = parseEndpoint(scalar(raw, endpoint.title));
    if (value.kind === 'error') throw new ValueError(`${endpoint.title}: ${value.text}`);
    return value;
  },
};

/** An option that may be unset: its default is undefined. */
export function optional<T>(type: ValueType<T>): ValueType<T | undefined> {
  return { ...type, absent: true };
}

/** Every spelling of a boolean, and what it means. */
export const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['on', true],
  ['enabled', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['off', false],
  ['disabled', false],
  ['0', false],
  ['no', false],
]);

function wholeNumber(title: string, least: number, most: number, shape: ValueShape): ValueType<number> {
  return {
    title,
    shape,
    read(raw) {
      const text = scalar(raw, title);
      const value = /^-?[0-9]{1,17}$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= least && value <= most)) throw new ValueError(title);
      // `-0` is zero to whoever compares, but not to Object.is.
      return value + 0;
    },
  };
}

function decimal(text: string, title: string): number {
  if (!/^-?(?:[0-9]{1,17}(?:\.[0-9]{0,17})?|\.[0-9]{1,17})$/.test(text)) throw new ValueError(title);
  return Number(text);
}
