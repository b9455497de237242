/** What a receiver makes of the bytes behind its 354: the message, and what it would read as commands. */
export interface Reading {
  /** Dots removed; undefined when it still waits for the end. */
  readonly message: string | undefined;
  readonly commands: string;
}

export type Receiver = (sent: string) => Reading;

/** By the book: CRLF.CRLF. */
const strict: Receiver = (sent) => {
  const whole = `\r\n${sent}`;
  const end = whole.indexOf('\r\n.\r\n');
  if (end === -1) return { message: undefined, commands: '' };
  const body = whole.slice(0, end + 2).replaceAll('\r\n.', '\r\n');
  return { message: body.slice(2), commands: whole.slice(end + 5) };
};

/**
 * One that reads lines with an end of its own, and takes a line of one dot for the end of data.
 *
 * @param lineEnd  global
 */
const byLines =
  (lineEnd: RegExp): Receiver =>
  (sent) => {
    const lines: string[] = [];
    let at = 0;
    for (const match of sent.matchAll(lineEnd)) {
      const line = sent.slice(at, match.index);
      at = match.index + match[0].length;
      if (line === '.') return { message: lines.map((each) => `${each}\r\n`).join(''), commands: sent.slice(at) };
      lines.push(line.startsWith('.') ? line.slice(1) : line);
    }
    return { message: undefined, commands: '' };
  };

/** After what was published of them in December 2023, before their mending. */
export const receivers: Readonly<Record<string, Receiver>> = {
  strict,
  /** Postfix before smtpd_forbid_bare_newline: a line ends with LF, and a CR before it is dropped. */
  Postfix: byLines(/\r?\n/g),
  /** Sendmail before 8.18: the same, and CRs in a row are dropped with the LF behind them. */
  Sendmail: byLines(/\r*\n/g),
  /** Exim before 4.97.1: LF and CRLF, and a lone CR in front of a dot counts as a line end. */
  Exim: byLines(/\r?\n|\r(?=\.)/g),
  /** Gateways that clean up first: every CR, LF and pair is a line end. */
  'one that mends line ends': byLines(/\r\n|\r|\n/g),
};
