import type { Millis } from '../base/index.ts';
import type { PeerAddress } from '../world/index.ts';
import { mailDate } from './date.ts';
import type { MessageId } from './message.ts';

export interface ReceivedParts {
  /** Who handed the message over; undefined for mail that came over no connection. */
  readonly remote: PeerAddress | undefined;
  /** The EHLO or HELO argument as the client typed it. Never trusted. */
  readonly helo: string;
  /** `Received_Hostname`, else the host name. */
  readonly host: string;
  /** Without angle brackets; empty for the null reverse-path. */
  readonly reversePath: string;
  /** `Impetus 1.2.3` */
  readonly product: string;
  /** `ESMTP`, `ESMTPS`, `ESMTPA`, `ESMTPSA`, `HTTP`, … (RFC 3848). */
  readonly protocol: string;
  readonly id: MessageId;
  /** The `for` clause is written only when there is one: with more, it would tell them of each other (RFC 5321 §7.6). */
  readonly recipients: readonly string[];
  readonly date: Millis;
}

/**
 * A whole Received field, folded, CRLF at its end, plain ASCII whatever a client says: controls, 8-bit bytes,
 * parentheses and backslashes in what the client typed become `?`, so that no HELO name can end a comment, a line or
 * the field.
 *
 * @see RFC 5321 §4.4
 */
export function receivedField(parts: ReceivedParts): Buffer {
  const [to] = parts.recipients;
  const alone = parts.recipients.length === 1 && to !== undefined && to.length <= longestName;
  const single = alone ? `\r\n\tfor <${to.replace(oddInPath, '?')}>` : '';
  const text =
    `Received: ${from(parts)}by ${inComment(parts.host)} (envelope-from <${inComment(parts.reversePath)}>)\r\n` +
    `\t(${inComment(parts.product)}) with ${inComment(parts.protocol)} id ${parts.id}${single};\r\n` +
    `\t${mailDate(parts.date)}\r\n`;
  return Buffer.from(text, 'latin1');
}

function from(parts: ReceivedParts): string {
  const remote = parts.remote;
  if (remote === undefined) return '';
  const helo = inComment(parts.helo);
  if (remote.ip === '') return `from localhost (unix helo=${helo})\r\n\t`;
  const sixth = remote.ip.includes(':');
  // RFC 5321 §4.1.3 wants the tag in the address literal; inside the comment it would only be in the way of readers.
  return `from [${sixth ? 'IPv6:' : ''}${remote.ip}] ([${remote.ip}]:${remote.port} helo=${helo})\r\n\t`;
}

/** Printable ASCII and blanks without `( ) \`. One test for each name, a replacement only for odd ones. */
const oddInComment = /[^\x20-\x27\x2a-\x5b\x5d-\x7e]/;
const everyOddInComment = /[^\x20-\x27\x2a-\x5b\x5d-\x7e]/g;
/** A path keeps its quoted local part, which may hold parentheses and backslashes in order. */
const oddInPath = /[^\x20-\x7e]/g;

/** RFC 5321 lets a domain have 255 octets and a path 256; longer is no name but an attack on the line length. */
const longestName = 256;

function inComment(text: string): string {
  const short = text.length > longestName ? text.slice(0, longestName) : text;
  return oddInComment.test(short) ? short.replace(everyOddInComment, '?') : short;
}
