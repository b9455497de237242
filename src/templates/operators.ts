import type { Run } from './run.ts';
import { isArray, isFields, type Value } from './value.ts';

/** Lua makes numbers of texts that are some. */
function numberOf(run: Run, value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    run.reads(value);
    if (NUMBER.test(value)) return Number(value);
  }
  return run.fail(`arithmetic on ${kindOf(value)}`);
}

const NUMBER = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

export function arithmetic(run: Run, operator: '+' | '-' | '*' | '/', left: Value, right: Value): number {
  const [a, b] = [numberOf(run, left), numberOf(run, right)];
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
  }
}

/** What is missing and null are one thing; trees are equal to themselves only. */
export function equal(run: Run, left: Value, right: Value): boolean {
  if (typeof left === 'string' && typeof right === 'string') run.reads(left.length < right.length ? left : right);
  return (left ?? undefined) === (right ?? undefined);
}

export function relation(run: Run, operator: string, left: Value, right: Value): boolean {
  const numbers = typeof left === 'number' && typeof right === 'number';
  if (!numbers && !(typeof left === 'string' && typeof right === 'string'))
    return run.fail(`${kindOf(left)} cannot be compared with ${kindOf(right)}`);
  if (typeof left === 'string' && typeof right === 'string') run.reads(left.length < right.length ? left : right);
  switch (operator) {
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    default:
      return left >= right;
  }
}

/** Of an array its entries, of a text its bytes; 0 for what is not there. */
export function length(run: Run, value: Value): number {
  if (value === undefined || value === null) return 0;
  if (isArray(value)) return value.length;
  if (typeof value === 'string') {
    run.reads(value);
    return Buffer.byteLength(value);
  }
  if (isFields(value)) return 0;
  return run.fail(`${kindOf(value)} has no length`);
}

export function kindOf(value: Value): string {
  if (value === undefined || value === null) return 'nothing';
  if (isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}
