import { sameAssignment } from './same-assignment.ts';
import type { Stanza } from './stanza.ts';

export interface ChangeCount {
  /** Settings that differ, as `settingsIn(differences(…))` counts them. */
  settings: number;
  /** Stanzas that the earlier tree does not have at the same place. */
  stanzas: number;
}

/**
 * How much changes from one tree to another. Counting makes no list and sorts nothing, so it can give way between
 * stanzas where all of a hundred thousand differ.
 */
export function* countChanges(from: Stanza | undefined, to: Stanza | undefined): Generator<undefined, ChangeCount> {
  const count: ChangeCount = { settings: 0, stanzas: 0 };
  yield* visit(from, to, count);
  return count;
}

function* visit(from: Stanza | undefined, to: Stanza | undefined, count: ChangeCount): Generator<undefined, void> {
  if (from === to) return;
  own(from, to, count);
  for (const type of new Set([...(from?.children.keys() ?? []), ...(to?.children.keys() ?? [])])) {
    const before = from?.children.get(type);
    const after = to?.children.get(type);
    if (before === after) continue;
    for (const [instance, child] of after ?? []) {
      yield* pair(before?.get(instance), child, count);
      yield;
    }
    for (const [instance, child] of before ?? []) {
      if (!after?.has(instance)) yield* pair(child, undefined, count);
      yield;
    }
    if (before && after && reordered(before, after)) count.settings++;
  }
}

/** Most stanzas have nothing inside: those need no generator of their own. */
function* pair(from: Stanza | undefined, to: Stanza | undefined, count: ChangeCount): Generator<undefined, void> {
  if ((from?.children.size ?? 0) + (to?.children.size ?? 0) > 0) yield* visit(from, to, count);
  else if (from !== to) own(from, to, count);
}

function own(from: Stanza | undefined, to: Stanza | undefined, count: ChangeCount): void {
  if (to) count.stanzas++;
  for (const [name, setting] of to?.options ?? []) {
    const before = from?.options.get(name);
    if (!before || !sameAssignment(before, setting)) count.settings++;
  }
  for (const name of from?.options.keys() ?? []) if (!to?.options.has(name)) count.settings++;
  if ((!from && to && isEmpty(to)) || (!to && from && isEmpty(from))) count.settings++;
}

const isEmpty = ({ options, children }: Stanza): boolean => options.size === 0 && children.size === 0;

/** Whether the regex stanzas that stay are asked in another order. */
function reordered(before: ReadonlyMap<string, Stanza>, after: ReadonlyMap<string, Stanza>): boolean {
  const next = [...after.values()].filter(({ pattern, instance }) => pattern && before.has(instance));
  let at = 0;
  for (const { pattern, instance } of before.values()) {
    if (pattern && after.has(instance) && next[at++]?.instance !== instance) return true;
  }
  return false;
}
