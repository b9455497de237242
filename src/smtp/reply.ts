/** An SMTP answer (RFC 5321 §4.2), its lines joined to one: code once, single blanks. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number;
  /** RFC 3463, as `4.4.1`; undefined when the peer gave none. */
  readonly enhanced: string | undefined;
  readonly text: string;
}

/** `reply(450, '4.2.0', 'try again later')` */
export const reply = (code: number, enhanced: string | undefined, text: string): Reply => ({ code, enhanced, text });

/** As logs and consoles print it: `450 4.2.0 try again later`. */
export function replyText(said: Reply): string {
  return said.enhanced === undefined ? `${said.code} ${said.text}` : `${said.code} ${said.enhanced} ${said.text}`;
}
