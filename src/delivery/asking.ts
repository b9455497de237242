import { domainOfPath, inAscii, isBeyondAscii } from '../base/index.ts';
import type { Item } from '../queue/index.ts';
import { type Extensions, encodeXtext, type Reply, reply } from '../smtp/index.ts';

/** What is asked of a peer for one message, in its own extensions. */
export interface Asking {
  /** Those that the transaction is for, in their order. */
  readonly items: readonly Item[];
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** Parameters of MAIL besides SIZE, each with its blank in front. */
  readonly mailParameters: string;
  /** The same for each RCPT. */
  readonly recipientParameters: readonly string[];
  /** Those that this peer can never take. */
  readonly refused: readonly Item[];
  /** Those that need a transaction of their own (RFC 9422: RCPTDOMAINMAX). */
  readonly later: readonly Item[];
}

/** RFC 6531 §3.5 and §3.6: there is no way down for a local part or a header beyond ASCII. */
export const NO_SMTPUTF8: Reply = reply(553, '5.6.7', '[internal] SMTPUTF8 required but not advertised');

/** @param eightBit  BODY=8BITMIME is to be said where it is offered */
export function asking(items: readonly Item[], extensions: Extensions, eightBit: boolean): Asking {
  const { keywords } = extensions;
  const [first] = items;
  if (first === undefined) throw new RangeError('nothing to ask for');
  const { envelope } = first.message;
  const paths = items.map((item) => envelope.recipients[item.recipient]?.path ?? '');
  const able = keywords.has('SMTPUTF8') && keywords.has('8BITMIME');
  const header = envelope.requests?.utf8Header === true;
  const sender = able ? envelope.reversePath : header ? undefined : inAscii(envelope.reversePath);
  const kept: Item[] = [];
  const recipients: string[] = [];
  const refused: Item[] = [];
  const later: Item[] = [];
  const domains = new Set<string>();
  const mostDomains = limitOf(extensions, 'RCPTDOMAINMAX');
  for (const [index, item] of items.entries()) {
    const path = paths[index] ?? '';
    const sent = sender === undefined ? undefined : able ? path : inAscii(path);
    if (sent === undefined) {
      refused.push(item);
      continue;
    }
    if (mostDomains > 0) {
      const domain = domainOfPath(path) ?? '';
      if (!domains.has(domain) && domains.size >= mostDomains) {
        later.push(item);
        continue;
      }
      domains.add(domain);
    }
    kept.push(item);
    recipients.push(sent);
  }
  const reversePath = sender ?? '';
  const utf8 = able && (header || isBeyondAscii(reversePath) || recipients.some(isBeyondAscii));
  const notified = keywords.has('DSN');
  const body = eightBit && keywords.has('8BITMIME') ? ' BODY=8BITMIME' : '';
  const { ret, envid } = envelope.requests ?? {};
  const dsn = notified
    ? `${ret === undefined ? '' : ` RET=${ret}`}${envid === undefined ? '' : ` ENVID=${envid}`}`
    : '';
  return {
    items: kept,
    reversePath,
    recipients,
    mailParameters: `${body}${dsn}${utf8 ? ' SMTPUTF8' : ''}`,
    recipientParameters: notified ? kept.map((item) => dsnParameters(item, utf8)) : [],
    refused,
    later,
  };
}

function dsnParameters(item: Item, utf8: boolean): string {
  const requests = item.message.envelope.recipients[item.recipient]?.requests;
  if (requests === undefined) return '';
  const { notify, orcpt } = requests;
  const when = notify === undefined ? '' : ` NOTIFY=${notify.length === 0 ? 'NEVER' : notify.join(',')}`;
  // An address beyond ASCII in its plain spelling stays so where SMTPUTF8 is said, and else is written in hexadecimal.
  const address = orcpt === undefined || utf8 ? orcpt : orcpt.replace(/[\x80-\xff]+/g, embedded);
  return `${when}${address === undefined ? '' : ` ORCPT=${address}`}`;
}

/** RFC 6533 §3: `\x{…}` for each character, and that as xtext. */
const embedded = (bytes: string): string =>
  Array.from(Buffer.from(bytes, 'latin1').toString('utf8'), (character) =>
    encodeXtext(`\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`),
  ).join('');

/** A number of LIMITS (RFC 9422 §3), 0 when the peer names none. */
export function limitOf({ keywords }: Extensions, name: 'RCPTMAX' | 'MAILMAX' | 'RCPTDOMAINMAX'): number {
  const limits = keywords.get('LIMITS');
  if (limits === undefined) return 0;
  const found = new RegExp(`(?:^| )${name}=([1-9][0-9]{0,5})(?: |$)`, 'i').exec(limits)?.[1];
  return found === undefined ? 0 : Number(found);
}
