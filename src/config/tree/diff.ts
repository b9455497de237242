import { spelling } from '../schema/spelling.ts';
import { quote, valueText } from '../text/print.ts';
import { sameAssignment } from './same-assignment.ts';
import type { Assignment, Stanza } from './stanza.ts';

/** One thing in which two trees differ. The path leads to the stanza, Global has an empty one. */
export type Difference =
  | { readonly kind: 'added' | 'removed'; readonly path: Path; readonly setting: Assignment }
  | { readonly kind: 'changed'; readonly path: Path; readonly from: Assignment; readonly to: Assignment }
  /** A stanza without contents has come. */
  | { readonly kind: 'stanza added'; readonly path: Path }
  /** A stanza has gone; `empty` when nothing was in it. */
  | { readonly kind: 'stanza removed'; readonly path: Path; readonly empty: boolean }
  /** The regex stanzas of one type that stay are asked in another order. */
  | { readonly kind: 'order'; readonly path: Path; readonly type: string; readonly to: readonly string[] };

export type Path = readonly Pick<Stanza, 'type' | 'written'>[];

/**
 * What changes from one tree to another: a setting is the same when its value is, however it is written. The order is
 * that of names, whatever the order of the files: the contents of a stanza before the stanzas in it, and both before the
 * stanza itself, so that lines can be typed as they come.
 */
export function differences(from: Stanza, to: Stanza): readonly Difference[] {
  const found: Difference[] = [];
  compare(from, to, [], found);
  return found;
}

/** How many settings differ: a stanza counts where it has none. The same in both directions. */
export function settingsIn(found: readonly Difference[]): number {
  return found.filter((each) => each.kind !== 'stanza removed' || each.empty).length;
}

/**
 * `+ Domain "a.test" Retry_Interval = 5`, `- Retry_Interval  # was 5`, `~ Retry_Interval = 6  # was 5`. What stands
 * behind `+` and `~` can be typed behind `config set`, what stands behind `-` behind `config unset`.
 */
export function differenceLine(difference: Difference): string {
  const path = pathText(difference.path);
  const at = path === '' ? '' : `${path} `;
  switch (difference.kind) {
    case 'added':
      return `+ ${at}${settingText(difference.setting)}`;
    case 'removed':
      return `- ${at}${spelling(difference.setting.entry.name)}  # was ${valueText(difference.setting.value)}`;
    case 'changed':
      return `~ ${at}${settingText(difference.to)}  # was ${valueText(difference.from.value)}`;
    case 'stanza added':
      return `+ ${path} { }`;
    case 'stanza removed':
      return `- ${path}`;
    case 'order':
      return `# ${at}${spelling(difference.type)}: regexes are now asked in the order ${difference.to.map(quote).join(' ')}`;
  }
}

/** As commands take it: `ESMTP_Listener Listen ":25"`; empty for Global. */
export function pathText(path: Path): string {
  return path
    .map(({ type, written }) => (written === undefined ? spelling(type) : `${spelling(type)} ${quote(written)}`))
    .join(' ');
}

const settingText = ({ entry, value }: Assignment): string => `${spelling(entry.name)} = ${valueText(value)}`;

function compare(from: Stanza | undefined, to: Stanza | undefined, path: Path, found: Difference[]): void {
  if (from === to) return;
  for (const name of names(from?.options, to?.options)) {
    const before = from?.options.get(name);
    const after = to?.options.get(name);
    if (before && after) {
      if (!sameAssignment(before, after)) found.push({ kind: 'changed', path, from: before, to: after });
    } else if (after) found.push({ kind: 'added', path, setting: after });
    else if (before) found.push({ kind: 'removed', path, setting: before });
  }
  for (const type of names(from?.children, to?.children)) {
    const before = from?.children.get(type);
    const after = to?.children.get(type);
    if (before === after) continue;
    for (const instance of changedNames(before, after)) {
      const last = before?.get(instance);
      const next = after?.get(instance);
      const child = last ?? next;
      if (child) compare(last, next, [...path, child], found);
    }
    order(before, after, type, path, found);
  }
  if (!to) found.push({ kind: 'stanza removed', path, empty: from !== undefined && isEmpty(from) });
  else if (!from && isEmpty(to)) found.push({ kind: 'stanza added', path });
}

const isEmpty = ({ options, children }: Stanza): boolean => options.size === 0 && children.size === 0;

/** The order of appearance decides among regexes, and among nothing else. */
function order(before: Instances, after: Instances, type: string, path: Path, found: Difference[]): void {
  if (!before || !after) return;
  const kept = (one: ReadonlyMap<string, Stanza>, other: ReadonlyMap<string, Stanza>): readonly string[] =>
    [...one.values()].flatMap(({ pattern, instance }) => (pattern && other.has(instance) ? [instance] : []));
  const last = kept(before, after);
  const next = kept(after, before);
  if (last.some((instance, index) => next[index] !== instance)) found.push({ kind: 'order', path, type, to: next });
}

type Instances = ReadonlyMap<string, Stanza> | undefined;

/** Of a hundred thousand stanzas few differ: only those are put in order. */
function changedNames(before: Instances, after: Instances): readonly string[] {
  const changed: string[] = [];
  for (const [instance, stanza] of before ?? []) if (after?.get(instance) !== stanza) changed.push(instance);
  for (const instance of after?.keys() ?? []) if (!before?.has(instance)) changed.push(instance);
  return changed.sort();
}

function names(
  one: ReadonlyMap<string, unknown> | undefined,
  other: ReadonlyMap<string, unknown> | undefined,
): readonly string[] {
  return [...new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])].sort();
}
