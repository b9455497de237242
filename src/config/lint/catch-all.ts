import type { Stanza } from '../tree/stanza.ts';

/** What matches every name. */
const EVERYTHING = /^(?:\^|\$|\^?\.[*+]\??\$?|\.|\^\.)$/;

/** @returns whether a Domain or Host stanza holds for every name */
export function isCatchAll(stanza: Stanza): boolean {
  return stanza.pattern !== undefined && EVERYTHING.test(stanza.instance.slice(1, -1));
}
