import { isDeepStrictEqual } from 'node:util';
import type { Option, RawValue } from '../option.ts';
import { rawOf } from '../schema/declare.ts';
import type { Setting } from '../schema/settings.ts';
import type { ValueShape } from '../shape.ts';
import { valueText } from '../text/print.ts';

/** A default as data: what a file would say, a list for an array. */
export type DefaultValue = string | number | boolean | readonly string[];

/** @returns the built-in default as it would be written; undefined when there is none */
export function defaultOf(setting: Setting, shape: ValueShape): DefaultValue | undefined {
  const { row, declared } = setting;
  const [option] = declared;
  const catalogued = row?.default === undefined ? undefined : asWritten(row.default);
  if (option === undefined || (catalogued !== undefined && isDefault(option, rawOf(catalogued)))) return catalogued;
  return ofValue(option.initial, shape);
}

/** Defaults that hold in one kind of scope only. */
export function defaultsByScope(setting: Setting): Readonly<Record<string, DefaultValue>> | undefined {
  const defaults = setting.row?.defaults;
  if (defaults === undefined) return undefined;
  return Object.fromEntries(Object.entries(defaults).map(([scope, value]) => [scope, asWritten(value)]));
}

/** As it may stand in a file. */
export function defaultText(value: DefaultValue): string {
  const raw = rawOf(value);
  return valueText(raw.kind === 'text' ? { ...raw, quoted: raw.text === '' } : raw);
}

function isDefault(option: Option<unknown>, raw: RawValue): boolean {
  return isDeepStrictEqual(option.type.read(raw), option.initial);
}

function asWritten(value: unknown): DefaultValue {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/** Of a value that only code has. What cannot be written, as a table of addresses, is not told. */
function ofValue(value: unknown, shape: ValueShape): DefaultValue | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'bigint':
      return String(value);
    case 'number':
      return shape.kind === 'mode' ? `0${value.toString(8)}` : value;
    default:
      return Array.isArray(value) ? value.map(String) : undefined;
  }
}
