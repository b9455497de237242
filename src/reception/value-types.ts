import { type Domain, parseDomain } from '../base/index.ts';
import { array, text, ValueError, type ValueType } from '../config/index.ts';

/** What `SMTP_Extensions` may list now. PIPELINING and 8BITMIME are offered in any case. */
export const supportedExtensions: readonly string[] = ['ENHANCEDSTATUSCODES', 'PIPELINING', '8BITMIME', 'SIZE'];

/** Keywords in upper case. One page of the manual spells ENHANCEDSTATUSCODES without its last letter. */
export const smtpExtensionList: ValueType<readonly string[]> = {
  title: `a list of SMTP extensions out of ${supportedExtensions.join(', ')}`,
  read(raw) {
    return array.read(raw).map((item) => {
      const word = item.trim().replace(/ +/g, ' ').toUpperCase();
      const keyword = word === 'ENHANCEDSTATUSCODE' ? 'ENHANCEDSTATUSCODES' : word;
      if (!supportedExtensions.includes(keyword)) {
        throw new ValueError(`${smtpExtensionList.title}; '${item}' is not supported yet`);
      }
      return keyword;
    });
  },
};

/** A whole banner. Several lines are allowed, each with its 220; line ends of any kind. */
export const staticBannerLine: ValueType<string> = {
  title: 'a banner that begins with 220',
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
  read(raw) {
    const name = text.read(raw);
    if (!/^[\x21-\x7e]+$/.test(name) || parseDomain(name) === undefined) throw new ValueError(hostName.title);
    return name;
  },
};

export const domainName: ValueType<Domain> = {
  title: 'a domain',
  read(raw) {
    const domain = parseDomain(text.read(raw));
    if (domain === undefined) throw new ValueError(domainName.title);
    return domain;
  },
};
