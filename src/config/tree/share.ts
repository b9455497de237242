import { valueText } from '../text/print.ts';
import type { Assignment, Stanza } from './stanza.ts';

/**
 * The same tree with every stanza that says what it said in an earlier tree, at the same place, replaced by that one: so
 * a hundred generations of a large configuration hold little more than one, and what was compiled stays compiled.
 * It gives way between stanzas.
 */
export function* sharing(last: Stanza | undefined, next: Stanza): Generator<undefined, Stanza> {
  if (last === next) return next;
  let same = last !== undefined && sameSelf(last, next);
  let moved = false;
  const children = new Map<string, ReadonlyMap<string, Stanza>>();
  for (const [type, ofType] of next.children) {
    const before = last?.children.get(type);
    if (before === ofType) {
      children.set(type, ofType);
      continue;
    }
    const shared = new Map<string, Stanza>();
    let sameOfType = before?.size === ofType.size;
    const order = before?.keys();
    for (const [instance, child] of ofType) {
      const known = before?.get(instance);
      // Most stanzas have nothing inside, and a generator of their own would cost more than the comparison.
      const one = child.children.size === 0 ? leaf(known, child) : yield* sharing(known, child);
      shared.set(instance, one);
      moved ||= one !== child;
      if (order?.next().value !== instance || known !== one) sameOfType = false;
      yield;
    }
    children.set(type, sameOfType && before ? before : shared);
    if (!sameOfType) same = false;
  }
  if (last && same && sameOrder(last.children, next.children)) return last;
  return moved ? { ...next, children, compiled: undefined } : next;
}

/** All of `sharing` in one go. */
export function share(earlier: Stanza, tree: Stanza): Stanza {
  return finished(sharing(earlier, tree));
}

function leaf(last: Stanza | undefined, next: Stanza): Stanza {
  return last && last.children.size === 0 && sameSelf(last, next) ? last : next;
}

/** Runs a work that gives way to its end. */
export function finished<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

function sameSelf(last: Stanza, next: Stanza): boolean {
  if (last.written !== next.written || !samePlace(last, next) || !sameOrder(last.options, next.options)) return false;
  for (const [name, option] of next.options) {
    const before = last.options.get(name);
    if (!before || !sameSetting(before, option)) return false;
  }
  return true;
}

function sameSetting(one: Assignment, other: Assignment): boolean {
  return (
    one === other ||
    (samePlace(one, other) && samePlace(one.value, other.value) && valueText(one.value) === valueText(other.value))
  );
}

function samePlace({ at: one }: Pick<Stanza, 'at'>, { at: other }: Pick<Stanza, 'at'>): boolean {
  return one.line === other.line && one.column === other.column && one.file === other.file;
}

function sameOrder(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
  if (one.size !== other.size) return false;
  const keys = one.keys();
  for (const key of other.keys()) if (keys.next().value !== key) return false;
  return true;
}
