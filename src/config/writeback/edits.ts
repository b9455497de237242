import { sameRaw } from '../fallback/view.ts';
import type { Place } from '../option.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { spelling } from '../schema/spelling.ts';
import { assignmentText } from '../tree/print-tree.ts';
import {
  type Assignment,
  childOf,
  follow,
  keyBelow,
  type Stanza,
  type Step,
  stanzaTitle,
  withOption,
  withoutOption,
  withoutStanza,
  withStanza,
} from '../tree/stanza.ts';

/**
 * One difference between the files and what is live. `moved` is a `/regex/` stanza that has another place among its
 * like, which decides who is asked first.
 */
export type Edit =
  | { readonly kind: 'set'; readonly steps: readonly Step[]; readonly assignment: Assignment }
  | { readonly kind: 'unset'; readonly steps: readonly Step[]; readonly name: string }
  | { readonly kind: 'new' | 'moved'; readonly steps: readonly Step[]; readonly stanza: Stanza }
  | { readonly kind: 'gone'; readonly steps: readonly Step[] };

/** What makes `live` out of `from`, the outermost stanzas first. Built-in settings stand in no file. */
export function editsBetween(from: Stanza, live: Stanza): readonly Edit[] {
  const edits: Edit[] = [];
  compare(from, live, [], edits);
  return edits;
}

function compare(from: Stanza, live: Stanza, steps: readonly Step[], into: Edit[]): void {
  for (const [name, assignment] of from.options) {
    if (!isBuiltIn(assignment) && isBuiltIn(live.options.get(name))) into.push({ kind: 'unset', steps, name });
  }
  for (const [name, assignment] of live.options) {
    if (isBuiltIn(assignment)) continue;
    const before = from.options.get(name);
    if (before === undefined || isBuiltIn(before) || !sameRaw(before.value, assignment.value))
      into.push({ kind: 'set', steps, assignment });
  }
  for (const [type, ofType] of from.children)
    for (const child of ofType.values())
      if (!childOf(live, type, child.instance)) into.push({ kind: 'gone', steps: [...steps, stepOf(child)] });
  for (const [type, ofType] of live.children) {
    const places = new Map([...(from.children.get(type)?.keys() ?? [])].map((instance, place) => [instance, place]));
    let last = -1;
    for (const child of ofType.values()) {
      const path = [...steps, stepOf(child)];
      const before = childOf(from, type, child.instance);
      const place = places.get(child.instance) ?? Number.POSITIVE_INFINITY;
      // New ones are put behind all others, so what follows one must be moved behind it.
      const kept = !child.pattern || (place > last && place !== Number.POSITIVE_INFINITY);
      if (child.pattern) last = kept ? place : Number.POSITIVE_INFINITY;
      if (!before) into.push({ kind: 'new', steps: path, stanza: child });
      else if (!kept) into.push({ kind: 'moved', steps: path, stanza: child });
      else if (before !== child) compare(before, child, path, into);
    }
  }
}

/** @param implicit what is there when files say nothing */
export function withEdits(tree: Stanza, edits: readonly Edit[], implicit: Stanza): Stanza {
  let at = tree;
  for (const edit of edits) {
    switch (edit.kind) {
      case 'set':
        at = withOption(at, edit.steps, edit.assignment);
        break;
      case 'unset': {
        const builtIn = follow(implicit, edit.steps)?.options.get(edit.name);
        if (builtIn) at = withOption(at, edit.steps, builtIn);
        else if (follow(at, edit.steps)) at = withoutOption(at, edit.steps, edit.name);
        break;
      }
      case 'moved':
        at = withStanza(withoutStanza(at, edit.steps), edit.steps, edit.stanza);
        break;
      case 'new':
        at = withStanza(at, edit.steps, edit.stanza);
        break;
      case 'gone':
        if (follow(at, edit.steps.slice(0, -1))) at = withoutStanza(at, edit.steps);
        break;
    }
  }
  return at;
}

/** Where in a tree that was read from the files the values of an edit stand that was put into them. */
export function* placesOf(edit: Edit, tree: Stanza): Generator<readonly [Assignment, Place]> {
  const there = follow(tree, edit.steps);
  if (!there) return;
  if (edit.kind === 'set') {
    const own = there.options.get(edit.assignment.entry.name);
    if (own) yield [edit.assignment, own.at];
  } else if (edit.kind === 'new' || edit.kind === 'moved') yield* placesIn(edit.stanza, there);
}

function* placesIn(stanza: Stanza, there: Stanza): Generator<readonly [Assignment, Place]> {
  for (const [name, assignment] of stanza.options) {
    const own = there.options.get(name);
    if (own) yield [assignment, own.at];
  }
  for (const [type, ofType] of stanza.children)
    for (const child of ofType.values()) {
      const like = childOf(there, type, child.instance);
      if (like) yield* placesIn(child, like);
    }
}

/** Where two trees differ: an option, or without a name a stanza as a whole or the order of its patterns. */
export interface Difference {
  readonly key: string;
  readonly name: string | undefined;
}

/** @returns where two trees mean different things: values, stanzas, and the order of patterns */
export function differences(one: Stanza, other: Stanza, into: Difference[] = []): readonly Difference[] {
  if (one === other) return into;
  for (const name of new Set([...one.options.keys(), ...other.options.keys()]))
    if (!sameRaw(one.options.get(name)?.value, other.options.get(name)?.value)) into.push({ key: one.key, name });
  for (const type of new Set([...one.children.keys(), ...other.children.keys()])) {
    for (const child of one.children.get(type)?.values() ?? []) {
      const like = childOf(other, type, child.instance);
      if (like) differences(child, like, into);
      else into.push({ key: child.key, name: undefined });
    }
    for (const instance of other.children.get(type)?.keys() ?? [])
      if (!childOf(one, type, instance)) into.push({ key: keyBelow(one.key, type, instance), name: undefined });
    const [left, right] = [patternsOf(one, type), patternsOf(other, type)];
    for (const [place, instance] of left.entries())
      if (right[place] !== instance) into.push({ key: keyBelow(one.key, type, instance), name: undefined });
  }
  return into;
}

function patternsOf(stanza: Stanza, type: string): readonly string[] {
  return [...(stanza.children.get(type)?.values() ?? [])].filter((each) => each.pattern).map((each) => each.instance);
}

/** For people: `Gateway = g2 in Domain "x.test"`. */
export function editText(edit: Edit): string {
  const path = edit.steps.map(stanzaTitle).join(' ');
  switch (edit.kind) {
    case 'set':
      return `${assignmentText(edit.assignment)}${path === '' ? '' : ` in ${path}`}`;
    case 'unset':
      return `unset of ${spelling(edit.name)}${path === '' ? '' : ` in ${path}`}`;
    case 'gone':
      return `unset of ${path}`;
    case 'new':
      return path;
    case 'moved':
      return `the new place of ${path}`;
  }
}

function isBuiltIn(assignment: Assignment | undefined): boolean {
  return assignment === undefined || assignment.at.file === BUILT_IN.file;
}

function stepOf({ type, instance, written, pattern }: Stanza): Step {
  return { type, instance, written, pattern };
}
