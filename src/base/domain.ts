import { domainToASCII } from 'node:url';
import { addressBytes, addressText, parseAddress } from './address.ts';
import type { Domain } from './units.ts';

/**
 * A routing domain from text that people or peers wrote.
 *
 * @param text a domain name, with Unicode labels or without, one trailing dot allowed; or an address literal:
 *   `192.0.2.1`, `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[2001:db8::1]`
 * @returns lower case, A-labels, no trailing dot; literals as `192.0.2.1` and `[ipv6:2001:db8::1]`, so that each
 *   destination has one spelling. Undefined when it can be neither looked up nor connected to
 */
export function parseDomain(text: string): Domain | undefined {
  if (text.startsWith('[')) return parseLiteral(text);
  const name = PLAIN.test(text) ? text.toLowerCase() : inLabels(text);
  if (name === undefined) return undefined;
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (bare.length === 0 || bare.length > LONGEST_NAME) return undefined;
  let from = 0;
  for (let at = 0; at <= bare.length; at++) {
    if (at < bare.length && bare.charCodeAt(at) !== DOT) continue;
    if (at === from || at - from > LONGEST_LABEL) return undefined;
    from = at + 1;
  }
  // A name that ends in a number is an address, or a mistyped one; no such top-level domain can be (RFC 3696 §2).
  if (/(?:^|\.)[0-9]+$/.test(bare) && parseAddress(bare) === undefined) return undefined;
  return bare as Domain;
}

/** @returns the address that a literal routing domain stands for, undefined for a name */
export function literalAddress(domain: Domain): string | undefined {
  return domain.startsWith(IPV6_TAG) ? domain.slice(IPV6_TAG.length, -1) : parseAddress(domain);
}

/** @returns an address as routing domain */
export function addressDomain(ip: string): Domain {
  const text = addressText(addressBytes(ip));
  return (text.includes(':') ? `${IPV6_TAG}${text}]` : text) as Domain;
}

const DOT = 0x2e;
/** RFC 1035 §2.3.4: 255 octets on the wire are 253 characters of text. */
const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;
const IPV6_TAG = '[ipv6:';
// Underscores are no host names, but people have given them MX records, and mail to them must flow.
const PLAIN = /^[A-Za-z0-9_.-]+$/;
const LABEL = /^[A-Za-z0-9_-]+$/;
/** RFC 3490 §3.1: what counts as a dot between labels. */
const DOTS = /[.\u3002\uff0e\uff61]/;

function inLabels(text: string): string | undefined {
  // Unicode folds at most to a few ASCII characters each, so what is this long is refused before ICU sees it.
  if (text.length === 0 || text.length > 4 * LONGEST_NAME) return undefined;
  const labels: string[] = [];
  for (const label of text.split(DOTS)) {
    const ascii = label === '' || LABEL.test(label) ? label.toLowerCase() : aLabel(label);
    if (ascii === undefined) return undefined;
    labels.push(ascii);
  }
  return labels.join('.');
}

/**
 * `domainToASCII` reads a URL's host: `a/b` becomes `a`, `%41` is decoded, `0x7f.1` becomes an address. So ASCII
 * punctuation is refused first, labels go one by one, and each gets a company that cannot be read as a number.
 */
function aLabel(label: string): string | undefined {
  for (let at = 0; at < label.length; at++) {
    const code = label.charCodeAt(at);
    if (code < 0x80 && !LABEL.test(label.charAt(at))) return undefined;
  }
  const ascii = domainToASCII(`${label}.a`);
  const result = ascii.endsWith('.a') ? ascii.slice(0, -2) : '';
  return LABEL.test(result) ? result : undefined;
}

function parseLiteral(text: string): Domain | undefined {
  if (!text.endsWith(']')) return undefined;
  const inner = text.slice(1, -1);
  const tagged = /^ipv6:/i.test(inner);
  const ip = parseAddress(tagged ? inner.slice(5) : inner);
  if (ip === undefined || ip.includes('%') || (tagged && !ip.includes(':'))) return undefined;
  return addressDomain(ip);
}
