/** An SMTP answer (RFC 5321 §4.2), its lines joined to one: code once, single blanks. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number;
  /** RFC 3463, as `4.4.1`; undefined when the peer gave none. */
  readonly enhanced: string | undefined;
  /** A reply of ours may have several lines, parted by `\n`; one that a peer gave has one. */
  readonly text: string;
}

/** `reply(450, '4.2.0', 'try again later')` */
export const reply = (code: number, enhanced: string | undefined, text: string): Reply => ({ code, enhanced, text });

/** As logs and consoles print it: `450 4.2.0 try again later`. */
export function replyText(said: Reply): string {
  return said.enhanced === undefined ? `${said.code} ${said.text}` : `${said.code} ${said.enhanced} ${said.text}`;
}

/**
 * The bytes of a reply.
 *
 * @param enhancedCodes  whether ENHANCEDSTATUSCODES is in force (RFC 2034 §3: then on every line). A 421 shows its code
 *   in any case: it is often the only hint an operator at the other end gets
 */
export function formatReply(said: Reply, enhancedCodes: boolean): Buffer {
  return Buffer.from(replyLines(said, enhancedCodes), 'latin1');
}

/** The same as Latin-1 text with its line ends: what a machine gathers before it makes bytes once for a whole batch. */
export function replyLines(said: Reply, enhancedCodes: boolean): string {
  const enhanced = said.enhanced !== undefined && (enhancedCodes || said.code === 421) ? `${said.enhanced} ` : '';
  if (!said.text.includes('\n')) return `${said.code} ${enhanced}${said.text}\r\n`;
  const lines = said.text.split('\n');
  const last = lines.length - 1;
  return lines.map((line, index) => `${said.code}${index === last ? ' ' : '-'}${enhanced}${line}\r\n`).join('');
}
