/** What templates work on: a tree of JSON. Fields are looked up among an object's own only, so no prototype is ever reached. */
export type Value = null | undefined | boolean | number | string | readonly Value[] | Fields;

export interface Fields {
  readonly [name: string]: Value;
}

/** What one recipient's message is made with. */
export interface Data {
  /** Strongest first; a key is taken from the first that has it, even when it is null there. */
  readonly layers: readonly Fields[];
  /** Substitution data of the whole transmission: what render_dynamic_content may render. */
  readonly shared: Fields;
}

/** Lua's: only what is missing, null and false are false; 0, "" and [] are true. */
export const truth = (value: Value): boolean => value !== undefined && value !== null && value !== false;

export const isArray = (value: Value): value is readonly Value[] => Array.isArray(value);

export const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `a.b`, `a['b']`, `a[1]`: arrays count from 1; undefined for everything that is not there. */
export function member(of: Value, key: Value): Value {
  if (typeof key === 'number') return isArray(of) && Number.isInteger(key) ? of[key - 1] : undefined;
  return typeof key === 'string' && isFields(of) && Object.hasOwn(of, key) ? of[key] : undefined;
}

export function topLevel(layers: readonly Fields[], name: string): Value {
  for (const layer of layers) if (Object.hasOwn(layer, name)) return layer[name];
  return undefined;
}

/** As it is printed: numbers as Lua's `%.14g`, nothing for null, JSON for what has parts. */
export function printed(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return printedNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return '';
    default:
      return value === null ? '' : JSON.stringify(value);
  }
}

const SIGNIFICANT = 14;

/** C's `%.14g`: 14 significant digits, no zeros at the end, an exponent below 1e-4 and from 1e14. */
export function printedNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e14) return Object.is(value, -0) ? '-0' : String(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const [digits = '', power = '0'] = value.toExponential(SIGNIFICANT - 1).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < SIGNIFICANT) return withoutZeros(value.toFixed(SIGNIFICANT - 1 - exponent));
  const sign = exponent < 0 ? '-' : '+';
  return `${withoutZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

const withoutZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
