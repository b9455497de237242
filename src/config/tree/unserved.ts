import { isRead, listenerOf } from '../schema/coverage.ts';
import { spelling } from '../schema/spelling.ts';
import type { Assignment, Stanza } from './stanza.ts';

/**
 * What of a value changes nothing yet.
 *
 * @param stanza where it stands: one that something reads
 * @returns `all` when nobody reads it there; else the parts of it that nobody heeds, in words
 */
export function unservedOf(
  { entry, value }: Pick<Assignment, 'entry' | 'value'>,
  stanza: Pick<Stanza, 'type' | 'key'>,
): 'all' | readonly string[] {
  if (!isRead(entry.declared, stanza.type, listenerOf(stanza.key))) return 'all';
  return entry.declared.flatMap((option) => option.type.unserved?.(value) ?? []);
}

/** Where that is, for people: `Listen of HTTP_Listener`. */
export function placeTitle({ type, key }: Pick<Stanza, 'type' | 'key'>): string {
  const listener = listenerOf(key);
  return listener === undefined || listener === type ? spelling(type) : `${spelling(type)} of ${spelling(listener)}`;
}
