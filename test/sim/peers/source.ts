import type { SimClock, SimNetwork } from '../../../src/world/sim/index.ts';
import type { Dice } from '../dice.ts';
import { type Letter, stuffed } from '../letter.ts';
import type { Records, Sent } from '../records.ts';
import { sleep } from '../sleep.ts';
import { ClientLink, type ClientReply, type Exit } from './client-link.ts';

export interface SourceParts {
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly records: Records;
  readonly dice: Dice;
  note(text: string): void;
}

/** One SMTP client session that brings letters to the server. */
export async function source(parts: SourceParts, letters: readonly Letter[], rude: boolean): Promise<void> {
  const { clock, network, dice, records } = parts;
  const bytes = letters.reduce((sum, each) => sum + each.content.length + 200, 100);
  const exit = rude && dice.happens(0.6) ? { after: dice.between(1, bytes), how: dice.of(EXITS) as Exit } : undefined;
  const link = new ClientLink(clock, network, exit);
  const session = new Session(parts, link, dice.happens(0.6), rude && dice.happens(0.3));
  try {
    if (!(await session.greet())) return;
    for (const each of letters) {
      if (rude && dice.happens(0.1) && !(await session.chat())) return;
      if (!(await session.bring(records.announce(each)))) return;
    }
    link.write(Buffer.from('QUIT\r\n'));
    await link.reply();
  } finally {
    if (link.gone !== undefined) parts.note(`vanished: ${link.gone}`);
    // A client that only seems to be there stays until the server has had enough of it.
    if (link.gone === undefined) link.close();
  }
}

export const EXITS = ['closes', 'resets', 'loses its link', 'is heard no more', 'reads no more'] as const;
const CHATTER = [
  'NOOP',
  'VRFY x',
  'RSET',
  'HELP',
  'MAIL FROM:<a@b>\r\nRSET',
  'RCPT TO:<x@y>',
  'DATA',
  '\xff\x00',
] as const;

class Session {
  readonly #parts: SourceParts;
  readonly #link: ClientLink;
  readonly #pipelining: boolean;
  readonly #trickles: boolean;

  constructor(parts: SourceParts, link: ClientLink, pipelining: boolean, trickles: boolean) {
    this.#parts = parts;
    this.#link = link;
    this.#pipelining = pipelining;
    this.#trickles = trickles;
  }

  async greet(): Promise<boolean> {
    const banner = await this.#link.reply();
    if (banner?.code !== 220) return false;
    const said = await this.#ask('EHLO source.test');
    return said?.code === 250;
  }

  /** Words that mean nothing. @returns whether the session goes on */
  async chat(): Promise<boolean> {
    const words = this.#parts.dice.of(CHATTER);
    let said: ClientReply | undefined;
    for (const line of words.split('\r\n')) said = await this.#ask(line);
    if (said !== undefined && said.code !== 421) said = await this.#ask('RSET');
    return said?.code === 250;
  }

  /** One transaction. @returns whether the session goes on */
  async bring(sent: Sent): Promise<boolean> {
    const { letter } = sent;
    const size = this.#parts.dice.happens(0.3) ? ` SIZE=${letter.content.length}` : '';
    const commands = [
      `MAIL FROM:<${letter.reversePath}>${this.#parts.dice.happens(0.1) ? ' BODY=8BITMIME' : size}`,
      ...letter.recipients.map(
        (recipient) => `RCPT TO:<${recipient}>${letter.notify === undefined ? '' : ` NOTIFY=${letter.notify}`}`,
      ),
      'DATA',
    ];
    const replies = this.#pipelining ? await this.#askAll(commands) : await this.#askEach(commands);
    if (replies === undefined) return false;
    letter.recipients.forEach((recipient, index) => {
      if (replies[index + 1]?.code === 250) sent.accepted.push(recipient);
    });
    const go = replies.at(-1);
    if (go?.code !== 354) {
      this.#parts.note(`letter ${letter.number} refused: ${go?.code} ${go?.text}`);
      return (await this.#ask('RSET'))?.code === 250;
    }
    const body = stuffed(letter.content);
    const written = this.#trickles ? await this.#trickle(body) : this.#link.write(body);
    if (written < body.length) return false;
    sent.dotAt = this.#parts.clock.now();
    const said = await this.#link.reply();
    if (said !== undefined) sent.reply = { code: said.code, at: this.#parts.clock.now() };
    this.#parts.note(`letter ${letter.number} (${letter.content.length} bytes): ${said?.code ?? 'no reply'}`);
    return said !== undefined && said.code !== 421;
  }

  /** A slow sender. @returns bytes that went out */
  async #trickle(bytes: Buffer): Promise<number> {
    const { clock, dice } = this.#parts;
    let at = 0;
    while (at < bytes.length && !this.#link.over) {
      const length = Math.max(1, Math.ceil(bytes.length / dice.between(1, 12)));
      const went = this.#link.write(bytes.subarray(at, at + length));
      at += went;
      if (went === 0 || at === bytes.length) break;
      await sleep(clock, dice.within(0, 3000));
    }
    return at;
  }

  async #ask(line: string): Promise<ClientReply | undefined> {
    this.#link.write(Buffer.from(`${line}\r\n`, 'latin1'));
    return this.#link.reply();
  }

  async #askEach(lines: readonly string[]): Promise<ClientReply[] | undefined> {
    const replies: ClientReply[] = [];
    for (const line of lines) {
      const said = await this.#ask(line);
      if (said === undefined) return undefined;
      replies.push(said);
      if (line.startsWith('MAIL') && said.code !== 250) return replies;
    }
    return replies;
  }

  async #askAll(lines: readonly string[]): Promise<ClientReply[] | undefined> {
    this.#link.write(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1'));
    const replies: ClientReply[] = [];
    for (const _ of lines) {
      const said = await this.#link.reply();
      if (said === undefined) return undefined;
      replies.push(said);
    }
    return replies;
  }
}
