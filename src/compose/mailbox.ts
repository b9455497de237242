import { parseDomain } from '../base/index.ts';

export interface Mailbox {
  readonly name: string | undefined;
  readonly email: string;
}

/** `Ann <a@b>`, `"Ann, B." <a@b>` or `a@b`: whatever stands in angle brackets at the end is the address. */
export function mailboxOf(text: string): Mailbox {
  const trimmed = text.trim();
  const open = trimmed.lastIndexOf('<');
  if (open === -1 || !trimmed.endsWith('>')) return { name: undefined, email: trimmed };
  const name = unquoted(trimmed.slice(0, open).trim());
  return { name: name === '' ? undefined : name, email: trimmed.slice(open + 1, -1).trim() };
}

const unquoted = (text: string): string =>
  text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;

/** Splits at commas that stand in no quotes and no angle brackets. */
export function splitList(text: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let angle = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '\\' && quoted) at++;
    else if (sign === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (sign === '<') angle = true;
    else if (sign === '>') angle = false;
    else if (sign === ',' && !angle) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part.trim() !== '');
}

/** RFC 5321 4.5.3.1. */
const LONGEST_LOCAL = 64;
const LONGEST_PATH = 254;
const LOCAL =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])+")$/;

/** An address as an envelope has it. */
export interface Address {
  /** `local@domain`; the domain as written, or with A-labels when it was not ASCII. */
  readonly path: string;
  /** All of it in lower case: what lists and events know it by. */
  readonly key: string;
}

/** @returns what is wrong when it is no address that mail can be sent to */
export function parseAddressText(text: string): Address | string {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  if (at < 1 || at === trimmed.length - 1) return 'an address is local@domain';
  const local = trimmed.slice(0, at);
  const written = trimmed.slice(at + 1);
  if (/[^\x00-\x7f]/.test(local)) return 'the local part is not ASCII, which needs SMTPUTF8';
  if (local.length > LONGEST_LOCAL || !LOCAL.test(local)) return 'the local part is not one';
  const domain = parseDomain(written);
  if (domain === undefined) return 'the domain is not one';
  const path = `${local}@${/^[\x21-\x7e]+$/.test(written) ? written : domain}`;
  if (path.length > LONGEST_PATH) return 'the address is too long';
  return { path, key: `${local.toLowerCase()}@${domain}` };
}
