import type { Parameters } from './ldap-url.ts';

/** A value that is longer may be cut where the message ends: what begins like it goes, with all that is behind. */
const MOST_SHORT = 32;
/** Shorter ones are words of every message: they go where they are quoted. */
const LEAST_WORD = 8;

/**
 * A store's own words about a query, without the values that were sent with it: one of them may be a password
 * (`invalid input syntax for type integer: "secret"`), and each client would make another message.
 */
export function withoutValues(text: string, parameters: Parameters): string {
  let shown = text;
  for (const value of parameters.values()) {
    // As a StoreError has them: in one line.
    const said = (value ?? '').replaceAll(/\s+/g, ' ');
    if (said === '') continue;
    if (said.length > MOST_SHORT) {
      const at = shown.indexOf(said.slice(0, MOST_SHORT));
      if (at !== -1) shown = `${shown.slice(0, at)}…`;
    } else if (said.length >= LEAST_WORD) shown = shown.replaceAll(said, '…');
    else for (const quote of ['"', "'"]) shown = shown.replaceAll(`${quote}${said}${quote}`, `${quote}…${quote}`);
  }
  return shown;
}
