import { parseAddress, unmapped } from '../base/index.ts';
import { parsePairs } from '../smtp/index.ts';

/** In the order in which EHLO names them. */
export const xclientAttributes = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const;

export type XclientAttribute = (typeof xclientAttributes)[number];

/** What XCLIENT says of a client, by attribute; undefined where it says that it does not know. */
export type XclientFacts = ReadonlyMap<XclientAttribute, string | undefined>;

/** What a proxy says of what it has no value for, now or at all. */
const UNKNOWN = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i;

/**
 * The argument of XCLIENT. Names of attributes are of either case, the last of equal ones wins; addresses come out
 * canonical, PROTO in upper case.
 *
 * @returns undefined when an attribute is unknown or its value cannot be one
 * @see XCLIENT_README of Postfix
 */
export function parseXclient(argument: string): XclientFacts | undefined {
  const facts = new Map<XclientAttribute, string | undefined>();
  for (const { key, value } of parsePairs(argument) ?? [{ key: '', value: '' }]) {
    const name = xclientAttributes.find((each) => each === key.toUpperCase());
    if (name === undefined) return undefined;
    if (UNKNOWN.test(value)) {
      facts.set(name, undefined);
      continue;
    }
    const read = READ[name](value);
    if (read === undefined) return undefined;
    facts.set(name, read);
  }
  return facts;
}

/** An address as XCLIENT and XREMOTEIP write it: IPv6 with `IPV6:` in front of it or without. @returns canonical text */
export function clientIp(text: string): string | undefined {
  const bare = /^ipv6:(.*)$/i.exec(text)?.[1];
  const ip = parseAddress(bare ?? text);
  if (ip === undefined || ip.includes('%') || (bare !== undefined && !ip.includes(':'))) return undefined;
  return unmapped(ip);
}

const port = (text: string): string | undefined =>
  /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535 ? String(Number(text)) : undefined;

const words =
  (pattern: RegExp) =>
  (text: string): string | undefined =>
    pattern.test(text) ? text : undefined;

const READ: Readonly<Record<XclientAttribute, (text: string) => string | undefined>> = {
  NAME: words(/^[\x21-\x7e]{1,255}$/),
  ADDR: clientIp,
  PORT: port,
  PROTO: (text) => (/^e?smtp$/i.test(text) ? text.toUpperCase() : undefined),
  // As the client typed it, as EHLO takes it.
  HELO: words(/^[\x21-\x7e]{1,255}$/),
  LOGIN: words(/^[\x20-\x7e\x80-\xff]{1,255}$/),
  DESTADDR: clientIp,
  DESTPORT: port,
};
