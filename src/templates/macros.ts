import type { Run } from './run.ts';
import { isArray, isFields, type Value } from './value.ts';

type Macro = (run: Run) => Value;

const CURLY = new Map<string, string>(
  (['single', 'double', 'triple'] as const).flatMap((how, at): [string, string][] => [
    [`opening_${how}_curly`, '{'.repeat(at + 1)],
    [`closing_${how}_curly`, '}'.repeat(at + 1)],
  ]),
);

/** Data that render_dynamic_content renders; it comes with the transmission, never with a recipient. */
export const DYNAMIC: ReadonlySet<string> = new Set(['dynamic_html', 'dynamic_plain', 'dynamic_amp_html']);

/** @returns what is wrong, when something is */
export function macro(name: string, argument: Macro | undefined): Macro | string {
  const curly = CURLY.get(name);
  if (curly !== undefined) return argument === undefined ? () => curly : `${name}() takes nothing`;
  if (name === 'render_snippet') return 'render_snippet: there are no snippets on this server';
  if (name !== 'empty') return `there is no macro ${name.slice(0, 40)}`;
  return argument === undefined ? 'empty() needs something to look at' : (run) => isEmpty(run, argument(run));
}

/** 16. */
const KEYS_PER_STEP_BITS = 4;

function isEmpty(run: Run, value: Value): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  if (isArray(value)) return value.length === 0;
  if (!isFields(value)) return false;
  // Nobody tells whether an object has keys without making a list of them.
  const { length } = Object.keys(value);
  run.step(length >> KEYS_PER_STEP_BITS);
  return length === 0;
}
