import type { Place, RawValue } from '../option.ts';
import type { Pattern } from '../patterns/pattern.ts';
import type { OptionEntry } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';

/** A value in a stanza, already checked. */
export interface Assignment {
  readonly entry: OptionEntry;
  readonly value: RawValue;
  /** Where its name stands. */
  readonly at: Place;
  /** What the types of `entry.declared` made of it, in their order. */
  readonly values: readonly unknown[];
}

/** A stanza of the effective configuration: everything that files and console say about it, merged. Immutable. */
export interface Stanza {
  /** Lower case; `global` for the root. */
  readonly type: string;
  /** Canonical; empty for an anonymous stanza. */
  readonly instance: string;
  /** The instance as first written, undefined for an anonymous stanza. */
  readonly written: string | undefined;
  /** As StanzaId has it. */
  readonly key: string;
  readonly at: Place;
  /** Of `/regex/` instances. */
  readonly pattern: Pattern | undefined;
  readonly options: ReadonlyMap<string, Assignment>;
  /** By type, then by instance, each in order of first appearance. */
  readonly children: ReadonlyMap<string, ReadonlyMap<string, Stanza>>;
  /**
   * What the compiler has made of it, kept here because a WeakMap of a hundred thousand stanzas costs each collection of
   * garbage forty milliseconds. A changed copy has none yet.
   */
  compiled: { readonly stanza: Stanza } | undefined;
}

/** One step of a path through the tree. */
export interface Step {
  readonly type: string;
  readonly instance: string;
  readonly written: string | undefined;
  readonly pattern: Pattern | undefined;
}

export function keyBelow(parent: string, type: string, instance: string): string {
  // Backslashes too, so that no two paths have one key.
  const own = `${type}:${instance.replace(/[\\:]/g, '\\$&')}`;
  return parent === 'global' ? own : `${parent}:${own}`;
}

export function emptyStanza(parent: Stanza | undefined, step: Step, at: Place): Stanza {
  return {
    ...step,
    at,
    key: parent ? keyBelow(parent.key, step.type, step.instance) : 'global',
    options: new Map(),
    children: new Map(),
    compiled: undefined,
  };
}

export const ROOT_STEP: Step = { type: 'global', instance: '', written: undefined, pattern: undefined };

/** A stanza and all below it. */
export function* stanzasOf(root: Stanza): Generator<Stanza, void> {
  yield root;
  const open: Iterator<Stanza>[] = [];
  const enter = (stanza: Stanza): void => {
    for (const ofType of [...stanza.children.values()].reverse()) open.push(ofType.values());
  };
  enter(root);
  for (let stanzas = open.at(-1); stanzas; stanzas = open.at(-1)) {
    const { value: stanza, done } = stanzas.next();
    if (done === true) {
      open.pop();
      continue;
    }
    yield stanza;
    if (stanza.children.size > 0) enter(stanza);
  }
}

export function childOf(stanza: Stanza | undefined, type: string, instance: string): Stanza | undefined {
  return stanza?.children.get(type)?.get(instance);
}

export function follow(root: Stanza, path: readonly Step[]): Stanza | undefined {
  let at: Stanza | undefined = root;
  for (const step of path) at = childOf(at, step.type, step.instance);
  return at;
}

/** A copy with one option set; stanzas of the path that do not exist are made. What is not on the path is shared. */
export function withOption(root: Stanza, path: readonly Step[], assignment: Assignment): Stanza {
  return changed(root, path, assignment.at, (stanza) => ({
    ...stanza,
    compiled: undefined,
    options: new Map(stanza.options).set(assignment.entry.name, assignment),
  }));
}

/** A copy in which the stanza at a path is another one. */
export function withStanza(root: Stanza, path: readonly Step[], stanza: Stanza): Stanza {
  return changed(root, path, stanza.at, () => stanza);
}

/** A copy without an option. The stanza stays, even when it is empty now. */
export function withoutOption(root: Stanza, path: readonly Step[], name: string): Stanza {
  return changed(root, path, root.at, (stanza) => {
    const options = new Map(stanza.options);
    options.delete(name);
    return { ...stanza, options, compiled: undefined };
  });
}

/** A copy without everything in a stanza, and without the stanza itself. */
export function withoutStanza(root: Stanza, path: readonly Step[]): Stanza {
  const last = path.at(-1);
  if (!last) return root;
  return changed(root, path.slice(0, -1), root.at, (parent) => {
    const children = new Map(parent.children);
    const ofType = new Map(children.get(last.type));
    ofType.delete(last.instance);
    if (ofType.size === 0) children.delete(last.type);
    else children.set(last.type, ofType);
    return { ...parent, children, compiled: undefined };
  });
}

function changed(stanza: Stanza, path: readonly Step[], at: Place, change: (stanza: Stanza) => Stanza): Stanza {
  const [step, ...rest] = path;
  if (!step) return change(stanza);
  const child = childOf(stanza, step.type, step.instance) ?? emptyStanza(stanza, step, at);
  const ofType = new Map(stanza.children.get(step.type)).set(step.instance, changed(child, rest, at, change));
  return { ...stanza, compiled: undefined, children: new Map(stanza.children).set(step.type, ofType) };
}

/** For people: `Listen ":25"`, `Esmtp_Listener`, `Global`. */
export function stanzaTitle(stanza: { readonly type: string; readonly written: string | undefined }): string {
  if (stanza.type === 'global') return 'Global';
  return stanza.written === undefined ? spelling(stanza.type) : `${spelling(stanza.type)} "${stanza.written}"`;
}
