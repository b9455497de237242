import type { Dice } from './dice.ts';
import { SENDERS } from './places.ts';

/** One mail transaction as its sender means it. Each is sent once: recipients and sender are its own, so they name it. */
export interface Letter {
  readonly number: number;
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** NOTIFY of all its recipients (RFC 3461). */
  readonly notify: 'NEVER' | 'SUCCESS,FAILURE' | undefined;
  /** As handed to DATA, before dots are doubled. */
  readonly content: Buffer;
  /** As it must arrive, behind the Received field. */
  readonly expected: Buffer;
}

/** @param largest bytes of the longest letters */
export function letter(dice: Dice, number: number, domains: readonly string[], largest: number): Letter {
  const count = dice.weighted({ one: 5, some: 3, many: 1 });
  const recipients = Array.from(
    { length: count === 'one' ? 1 : count === 'some' ? dice.between(2, 4) : dice.between(5, 25) },
    (_, index) => `r${number}-${index}@${dice.of(domains)}`,
  );
  const content = contentOf(dice, number, largest);
  const text = content.toString('latin1');
  return {
    number,
    reversePath: dice.happens(0.12) ? '' : `s${number}@${SENDERS}`,
    recipients,
    notify: number % 7 === 0 ? 'NEVER' : number % 7 === 1 ? 'SUCCESS,FAILURE' : undefined,
    content,
    // Lone line ends are passed on as CRLF (rfc2822_lone_lf_in_body: ignore).
    expected: Buffer.from(text.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n'), 'latin1'),
  };
}

/** @returns the content with dots doubled and its end, ready to be sent */
export function stuffed(content: Buffer): Buffer {
  const text = content.toString('latin1');
  return Buffer.from(`${text.startsWith('.') ? '.' : ''}${text.replace(/\r\n\./g, '\r\n..')}.\r\n`, 'latin1');
}

function contentOf(dice: Dice, number: number, largest: number): Buffer {
  const kind = dice.weighted({ empty: 1, bare: 1, short: 7, dots: 3, lone: 1, long: 5, edge: 3 });
  if (kind === 'empty') return Buffer.alloc(0);
  const head = `Subject: letter ${number}\r\nMessage-ID: <l${number}@${SENDERS}>\r\n`;
  if (kind === 'bare') return Buffer.from(head);
  const threshold = largest / 2;
  const length = kind === 'edge' ? threshold + dice.between(-300, 300) : kind === 'long' ? dice.scale(500, largest) : 0;
  let text = `${head}\r\n`;
  do text += line(dice, kind);
  while (text.length < length || dice.happens(0.7));
  if (length > 0) text = text.slice(0, length);
  return Buffer.from(`${text.replace(/[\r\n]+$/, '')}\r\n`, 'latin1');
}

const WORDS = ['mail', 'goes', 'on', 'and', 'arrives', 'caf\xe9', '.', '..', 'RCPT TO:<x@y>', '\xff\x80'] as const;

function line(dice: Dice, kind: string): string {
  if (kind === 'dots' && dice.happens(0.5)) return `${'.'.repeat(dice.between(1, 3))}\r\n`;
  let text = '';
  for (let count = dice.between(0, kind === 'long' || kind === 'edge' ? 60 : 8); count > 0; count--)
    text += `${dice.of(WORDS)} `;
  return `${text}${kind === 'lone' ? dice.of(['\n', '\r', '\r\n', '\n.', '\r\r\n'] as const) : '\r\n'}`;
}
