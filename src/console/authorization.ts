import type { Generation } from '../config/index.ts';
import { allow } from './options.ts';
import { splitWords } from './words.ts';

/** Who runs a command. */
export interface Caller {
  /** Empty when nobody knows. */
  readonly user: string;
  /** In the order of the groups file. Undefined when it cannot be read. */
  readonly roles: readonly string[] | undefined;
  /** All groups that there are. */
  readonly groups: readonly string[];
}

export const NOBODY: Caller = { user: '', roles: [], groups: [] };

export type Permission =
  | { readonly kind: 'allowed' /** The role whose pattern matched. */; readonly role: string }
  | { readonly kind: 'refused' }
  /** Nobody can say which roles the caller has, and what is known does not allow it. */
  | { readonly kind: 'unknown' };

/** What every caller may run. */
export const isFree = (command: string): boolean => /^(?:quit|help(?: .*)?|authz id)$/s.test(command);

/**
 * The text that patterns are searched in: the line without `xml` and `json` before it, and with one blank between its
 * words. A blank too many must not lead past a pattern, nor a capital letter in what `config` is to do, which it takes.
 */
export function commandText(line: string): string {
  const words = splitWords(line).words.map(({ from, to }) => line.slice(from, to));
  while (words[0] === 'xml' || words[0] === 'json') words.shift();
  const [command, verb] = words;
  if (command === 'config' && verb !== undefined) words[1] = verb.toLowerCase();
  return words.join(' ');
}

/**
 * Whether a caller may run a command: the stanzas `Role` that are named like him, or like one of his roles, are gone
 * through until one of their patterns matches. What no pattern allows is refused.
 *
 * @param command  as `commandText` gives it
 * @see manual pages authorization, control-authz
 */
export function permission(
  generation: Pick<Generation, 'instances' | 'stanza'>,
  { user, roles }: Caller,
  command: string,
): Permission {
  const defined = new Set(generation.instances('role', 'authorization'));
  for (const role of new Set([...(user === '' ? [] : [user]), ...(roles ?? [])])) {
    if (!defined.has(role)) continue;
    const patterns = generation.stanza('role', role, 'authorization').get(allow);
    if (patterns.some((pattern) => pattern.test(command))) return { kind: 'allowed', role };
  }
  return roles === undefined ? { kind: 'unknown' } : { kind: 'refused' };
}
