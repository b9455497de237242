import { type Domain, parseDomain } from '../base/index.ts';
import { array, text, ValueError, type ValueType } from '../config/index.ts';

/** What `SMTP_Extensions` may list now. PIPELINING and 8BITMIME are offered in any case. */
export const supportedExtensions: readonly string[] = [
  'ENHANCEDSTATUSCODES',
  'PIPELINING',
  '8BITMIME',
  'SIZE',
  'XCLIENT',
  'XREMOTEIP',
  'XSETCONTEXT',
  'XDUMPCONTEXT',
  'STARTTLS',
  'SMTPUTF8',
  'CHUNKING',
  'BINARYMIME',
  'DSN',
  'LIMITS',
  'AUTH LOGIN',
  'AUTH PLAIN',
  'AUTH CRAM-MD5',
  'AUTH DIGEST-MD5',
  'AUTH SCRAM-SHA-256',
  'AUTH XOAUTH2',
  'AUTH OAUTHBEARER',
  'ALWAYS-ALLOW',
];

/** What the manual lists besides: accepted, never offered, and named by the check. */
const laterExtensions: readonly string[] = ['REQUIRETLS'];

/** Keywords in upper case. One page of the manual spells ENHANCEDSTATUSCODES without its last letter. */
export const smtpExtensionList: ValueType<readonly string[]> = {
  title: `a list of SMTP extensions out of ${[...supportedExtensions, ...laterExtensions].join(', ')}`,
  shape: { kind: 'array', items: { kind: 'enumeration', words: [...supportedExtensions, ...laterExtensions] } },
  read(raw) {
    const words = array.read(raw).map(keyword);
    const unknown = words.findIndex((word) => !supportedExtensions.includes(word) && !laterExtensions.includes(word));
    if (unknown !== -1) throw new ValueError(`${smtpExtensionList.title}; there is no '${array.read(raw)[unknown]}'`);
    // RFC 3030 §3: binary content can be sent by BDAT only, so the one brings the other.
    if (words.includes('BINARYMIME') && !words.includes('CHUNKING')) words.push('CHUNKING');
    return words.filter((word) => supportedExtensions.includes(word));
  },
  unserved: (raw) =>
    array
      .read(raw)
      .map(keyword)
      .filter((word) => laterExtensions.includes(word)),
};

function keyword(item: string): string {
  const word = item.trim().replace(/ +/g, ' ').toUpperCase();
  return word === 'ENHANCEDSTATUSCODE' ? 'ENHANCEDSTATUSCODES' : word;
}

/** A whole banner. Several lines are allowed, each with its 220; line ends of any kind. */
export const staticBannerLine: ValueType<string> = {
  title: 'a banner that begins with 220',
  shape: { kind: 'text' },
  examples: ['"220 mx.example.com ESMTP"'],
  read(raw) {
    const lines = text
      .read(raw)
      .replace(/(?:\r\n?|\n)+$/, '')
      .split(/\r\n?|\n/);
    if (!lines.every((line) => /^220[ -][\x20-\x7e]*$/.test(line) && line.length <= 510))
      throw new ValueError(staticBannerLine.title);
    return lines.map((line) => line.slice(4)).join('\n');
  },
};

/** A name as it is shown, or an address literal. Case is kept. */
export const hostName: ValueType<string> = {
  title: 'a host name',
  shape: { kind: 'host' },
  read(raw) {
    const name = text.read(raw);
    if (!/^[\x21-\x7e]+$/.test(name) || parseDomain(name) === undefined) throw new ValueError(hostName.title);
    return name;
  },
};

export const domainName: ValueType<Domain> = {
  title: 'a domain',
  shape: { kind: 'domain' },
  read(raw) {
    const domain = parseDomain(text.read(raw));
    if (domain === undefined) throw new ValueError(domainName.title);
    return domain;
  },
};

const lengthWords = ['ignore', 'pedantic', 'fix'] as const;

/** Octets of a line, or what is done about lines over 998. */
export const lineLength: ValueType<'ignore' | 'pedantic' | 'fix' | number> = {
  title: 'ignore, pedantic, fix or an integer of 0 or more',
  read(raw) {
    const written = text.read(raw).toLowerCase();
    const word = lengthWords.find((each) => each === written);
    if (word !== undefined) return word;
    if (!/^[0-9]{1,9}$/.test(written)) throw new ValueError(lineLength.title);
    return Number(written);
  },
};
