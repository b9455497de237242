import { valueText } from '../text/print.ts';
import type { Assignment, Stanza } from './stanza.ts';

/**
 * The same tree with every stanza that says what it said in an earlier tree, at the same place, replaced by that one: so
 * a hundred generations of a large configuration hold little more than one, and what was compiled stays compiled.
 */
export function share(earlier: Stanza, tree: Stanza): Stanza {
  const visit = (last: Stanza | undefined, next: Stanza): Stanza => {
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
        const one = visit(before?.get(instance), child);
        shared.set(instance, one);
        moved ||= one !== child;
        if (order?.next().value !== instance || before?.get(instance) !== one) sameOfType = false;
      }
      children.set(type, sameOfType && before ? before : shared);
      if (!sameOfType) same = false;
    }
    if (last && same && sameOrder(last.children, next.children)) return last;
    return moved ? { ...next, children } : next;
  };
  return visit(earlier, tree);
}

/** @returns how many stanzas of a tree an earlier one does not have at the same place */
export function freshStanzas(earlier: Stanza | undefined, tree: Stanza): number {
  if (earlier === tree) return 0;
  let count = 1;
  for (const [type, ofType] of tree.children) {
    const before = earlier?.children.get(type);
    if (before !== ofType) for (const [instance, child] of ofType) count += freshStanzas(before?.get(instance), child);
  }
  return count;
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
