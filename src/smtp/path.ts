import { domainOfPath, isBeyondAscii, isUtf8Bytes, parseDomain } from '../base/index.ts';
import { NO_PARAMETERS, type Parameters, parseParameters } from './parameters.ts';

/** What may deviate from RFC 5321 §4.1.2, each after an option of Momentum. */
export interface PathRules {
  /** `allow_trailing_whitespace_in_commands`: blanks beside the angle brackets, inside and in front. */
  readonly blanksAtBrackets: boolean;
  /** `rfc2821_allow_whitespace_in_envelope`, or not pedantic: blanks at the end of the line. */
  readonly blanksAtEnd: boolean;
  /** `rfc2821_pedantic_address_rules` is false: `a..b@` and `ab.@` are local parts. */
  readonly loose: boolean;
  /** `domain_for_unqualified_…` is set: a local part alone is an address. `<postmaster>` is one in any case (§4.1.1.3). */
  readonly unqualified: boolean;
  /** SMTPUTF8 is offered: UTF-8 in local parts and domains (RFC 6531 §3.3). */
  readonly utf8: boolean;
}

export const STRICT_PATHS: PathRules = {
  blanksAtBrackets: false,
  blanksAtEnd: false,
  loose: false,
  unqualified: false,
  utf8: false,
};

/** What stands behind `MAIL FROM:` or `RCPT TO:`. */
export interface PathArgument {
  /** `local@domain` as written, source route and brackets removed; a local part alone; or empty for `<>`. */
  readonly path: string;
  readonly parameters: Parameters;
}

/** RFC 5321 §4.5.3.1: octets of a local part, of a domain, and of a path with its brackets. */
const MOST_LOCAL = 64;
const MOST_DOMAIN = 255;
const MOST_PATH = 256;

/**
 * @param line  a command as Latin-1 text, without its line end
 * @param from  index behind the colon
 * @param nullPath  whether `<>` is a path here (MAIL) or not (RCPT)
 * @returns undefined when it is not what RFC 5321 §4.1.2 and the rules allow
 */
export function parsePathArgument(
  line: string,
  from: number,
  nullPath: boolean,
  rules: PathRules,
): PathArgument | undefined {
  let end = line.length;
  if (rules.blanksAtEnd) while (end > from && line.charCodeAt(end - 1) === BLANK) end -= 1;
  let at = rules.blanksAtBrackets ? skipBlanks(line, from) : from;
  if (line.charCodeAt(at) !== LESS) return undefined;
  at += 1;
  if (rules.blanksAtBrackets) at = skipBlanks(line, at);
  const start = line.charCodeAt(at) === AT ? skipRoute(line, at, rules.utf8) : at;
  const mayBeNull = nullPath && start === at;
  at = mailboxEnd(line, start, rules);
  if (at < start || (at === start && !mayBeNull)) return undefined;
  const path = line.slice(start, at);
  if (rules.utf8 && isBeyondAscii(path) && !isInternational(path)) return undefined;
  if (rules.blanksAtBrackets) at = skipBlanks(line, at);
  if (line.charCodeAt(at) !== GREATER || at >= end) return undefined;
  at += 1;
  if (at === end) return { path, parameters: NO_PARAMETERS };
  const parameters = parseParameters(line, at, end);
  return parameters === undefined ? undefined : { path, parameters };
}

/** @returns index behind a mailbox, `at` itself when there is none, -1 when it is none */
function mailboxEnd(line: string, at: number, rules: PathRules): number {
  const local = line.charCodeAt(at) === QUOTE ? quotedEnd(line, at, rules.utf8) : dotStringEnd(line, at, rules);
  if (local <= at) return local;
  if (local - at > MOST_LOCAL) return -1;
  if (line.charCodeAt(local) !== AT) {
    return rules.unqualified || line.slice(at, local).toLowerCase() === 'postmaster' ? local : -1;
  }
  const end =
    line.charCodeAt(local + 1) === OPEN ? literalEnd(line, local + 1) : domainEnd(line, local + 1, rules.utf8);
  return end === -1 || end - local - 1 > MOST_DOMAIN || end - at > MOST_PATH - 2 ? -1 : end;
}

/** Well-formed UTF-8, with a domain that has A-labels (RFC 6531 §3.3, RFC 5891). */
const isInternational = (path: string): boolean =>
  isUtf8Bytes(path) && (!path.includes('@') || path.endsWith(']') || domainOfPath(path) !== undefined);

function dotStringEnd(line: string, from: number, { loose, utf8 }: PathRules): number {
  let at = from;
  let wantsAtom = true;
  for (; ; at += 1) {
    const code = line.charCodeAt(at);
    if (isAtomText(code) || (utf8 && isHigh(code))) {
      wantsAtom = false;
    } else if (code === DOT && (loose || !wantsAtom)) {
      wantsAtom = true;
    } else {
      break;
    }
  }
  return at > from && wantsAtom && !loose ? -1 : at;
}

function quotedEnd(line: string, from: number, utf8: boolean): number {
  for (let at = from + 1; ; at += 1) {
    const code = line.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
    // Past the end charCodeAt gives NaN, which is not printable.
    const shown = line.charCodeAt(at);
    if (!isPrintable(shown) && !(utf8 && isHigh(shown))) return -1;
  }
}

/** RFC 5321 without its bounds on labels, but with underscores: such names have MX records, and mail to them must flow. */
function domainEnd(line: string, from: number, utf8: boolean): number {
  let at = from;
  let before = DOT;
  for (; ; at += 1) {
    const code = line.charCodeAt(at);
    if (isLetterOrDigit(code) || code === UNDERSCORE || (code === HYPHEN && before !== DOT) || (utf8 && isHigh(code))) {
      before = code;
    } else if (code === DOT && before !== DOT && before !== HYPHEN) {
      before = DOT;
    } else {
      break;
    }
  }
  return before === DOT || before === HYPHEN ? -1 : at;
}

/** Addresses only: a literal of another kind (§4.1.3, Standardized-tag) could not be delivered. */
function literalEnd(line: string, from: number): number {
  const close = line.indexOf(']', from);
  return close !== -1 && parseDomain(line.slice(from, close + 1)) !== undefined ? close + 1 : -1;
}

/** Source routes are obsolete and ignored (§4.1.1.3, appendix C). @returns index behind the colon, or of what is wrong */
function skipRoute(line: string, from: number, utf8: boolean): number {
  let at = from;
  while (line.charCodeAt(at) === AT) {
    const end = domainEnd(line, at + 1, utf8);
    if (end === -1) return at;
    if (line.charCodeAt(end) === COLON) return end + 1;
    if (line.charCodeAt(end) !== COMMA) return end;
    at = end + 1;
  }
  return at;
}

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (line.charCodeAt(at) === BLANK) at += 1;
  return at;
}

const BLANK = 32;
const QUOTE = 34;
const COMMA = 44;
const HYPHEN = 45;
const DOT = 46;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const AT = 64;
const OPEN = 91;
const BACKSLASH = 92;
const UNDERSCORE = 95;

const isHigh = (code: number): boolean => code > 127;

const isPrintable = (code: number): boolean => code >= 32 && code <= 126;

const isLetterOrDigit = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);

/** RFC 5322 §3.2.3. */
const isAtomText = (code: number): boolean =>
  isLetterOrDigit(code) || (code > 32 && code < 127 && ATOM_MARKS.includes(String.fromCharCode(code)));

const ATOM_MARKS = "!#$%&'*+-/=?^_`{|}~";
