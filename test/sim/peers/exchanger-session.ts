import { millis } from '../../../src/base/index.ts';
import type { Clock, Pipe, PipeHost } from '../../../src/world/index.ts';
import { SimPipe } from '../../../src/world/sim/index.ts';
import type { Dice } from '../dice.ts';
import { type BodyHabit, bodyHabit, type Mood, reaction, type Stage } from './habits.ts';
import { isGood, type Said, spoken } from './replies.ts';

/** The mail exchanger that a session belongs to. */
export interface Host {
  readonly name: string;
  readonly ip: string;
  readonly mood: Mood;
  readonly hearer: SessionHearer;
}

/** A transaction as its receiver sees it. */
export interface Received {
  readonly reversePath: string;
  /** Those that were accepted. */
  readonly recipients: readonly string[];
  readonly body: Buffer;
  readonly pipe: SimPipe;
  readonly saidBy: number | undefined;
}

/** Hears what the server sends to exchangers, with the times at which it sent it. */
export interface SessionHearer {
  readonly clock: Clock;
  note(text: string): void;
  mail(exchanger: Host, sentAt: number): MailCount;
  recipient(exchanger: Host, path: string, sentAt: number): void;
  taken(exchanger: Host, received: Received): void;
  /** The session has ended. @param delivered successful deliveries, as the client must count them */
  over(exchanger: Host, session: { readonly domain: string | undefined; readonly delivered: number }): void;
}

/** Counts what one MAIL FROM has asked of the throttles. */
export interface MailCount {
  units: number;
}

/** What is more than this of a body is not kept back by a peer that stops reading. */
const READS_FIRST = 3000;

/** One session of a mail exchanger: an SMTP server with habits. */
export class ExchangerSession implements PipeHost {
  readonly #exchanger: Host;
  readonly #pipe: SimPipe;
  readonly #dice: Dice;
  readonly #name: string;
  readonly #extended: boolean;
  readonly #keywords: readonly string[];
  #held = '';
  /** Bytes that were taken out of `held`. */
  #consumed = 0;
  #written = 0;
  #busy = true;
  #deaf = false;
  #body = false;
  #habit: BodyHabit = 'reads';
  /** Undefined outside a transaction. */
  #reversePath: string | undefined;
  #recipients: string[] = [];
  #resetAt: number | undefined;
  #count: MailCount = { units: 0 };
  #domain: string | undefined;
  #delivered = 0;

  constructor(exchanger: Host, pipe: Pipe, dice: Dice, number: number) {
    if (!(pipe instanceof SimPipe)) throw new TypeError('a pipe of another world');
    this.#exchanger = exchanger;
    this.#pipe = pipe;
    this.#dice = dice;
    this.#name = `${exchanger.ip}#${number}`;
    this.#extended = !dice.happens(0.05);
    this.#keywords = [
      ...(dice.happens(0.75) ? ['PIPELINING'] : []),
      ...(dice.happens(0.5) ? [`SIZE ${dice.happens(0.1) ? 2000 : 0}`] : []),
      '8BITMIME',
      ...(number % 2 === 0 ? ['DSN'] : []),
    ];
    exchanger.hearer.clock.at(millis(exchanger.hearer.clock.now()), () =>
      this.#say('banner', { code: 220, text: [`${exchanger.name} ESMTP`] }),
    );
  }

  data(chunk: Uint8Array): void {
    if (this.#deaf) return;
    this.#held += Buffer.from(chunk).toString('latin1');
    this.#pump();
  }

  drained(): void {}

  closed(): void {
    this.#deaf = true;
    this.#exchanger.hearer.over(this.#exchanger, { domain: this.#domain, delivered: this.#delivered });
  }

  #pump(): void {
    while (!this.#busy && !this.#deaf) {
      if (this.#body ? !this.#readBody() : !this.#readLine()) return;
    }
  }

  #readLine(): boolean {
    const end = this.#held.indexOf('\r\n');
    if (end === -1) return false;
    const sentAt = this.#pipe.sentAt(this.#consumed);
    const line = this.#cut(end, 2);
    this.#command(line, sentAt);
    return true;
  }

  #readBody(): boolean {
    const whole = this.#held.startsWith('.\r\n') ? 0 : this.#held.indexOf('\r\n.\r\n') + 2;
    if (whole !== 1) {
      const body = this.#cut(whole, 3);
      this.#body = false;
      this.#end(body);
      return true;
    }
    if (this.#habit !== 'reads' && this.#held.length > READS_FIRST) this.#misbehave();
    return false;
  }

  #misbehave(): void {
    this.#note(`${this.#habit} in the middle of a body`);
    switch (this.#habit) {
      case 'stops reading':
        this.#deaf = true;
        this.#pipe.pause();
        return;
      case 'closes':
        return this.#leave('end');
      case 'resets':
        return this.#leave('destroy');
      case 'complains':
        this.#write('452 4.3.1 enough of this\r\n');
        return this.#leave('end');
      case 'reads':
        return;
    }
  }

  #cut(length: number, more: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length + more);
    this.#consumed += length + more;
    return text;
  }

  #command(line: string, sentAt: number): void {
    const [, verb = ''] = /^([A-Za-z]*)/.exec(line) ?? [];
    const path = /<(.*)>/.exec(line)?.[1] ?? '';
    const { hearer } = this.#exchanger;
    switch (verb.toUpperCase()) {
      case 'EHLO':
        if (!this.#extended) return this.#say('ehlo', { code: 502, text: ['5.5.1 what is EHLO?'] });
        return this.#say('ehlo', { code: 250, text: [this.#exchanger.name, ...this.#keywords] });
      case 'HELO':
        return this.#say('ehlo', { code: 250, text: [this.#exchanger.name] });
      case 'MAIL':
        this.#reversePath = undefined;
        this.#recipients = [];
        // One command at a time, RSET goes first and MAIL waits for its reply: the throttle was asked before RSET.
        this.#count = hearer.mail(this.#exchanger, this.#resetAt ?? sentAt);
        this.#resetAt = undefined;
        return this.#say('mail', { code: 250, text: ['2.1.0 sender ok'] }, (said) => {
          if (isGood(said)) this.#reversePath = path;
        });
      case 'RCPT':
        this.#count.units++;
        this.#domain ??= path.slice(path.lastIndexOf('@') + 1);
        hearer.recipient(this.#exchanger, path, sentAt);
        if (this.#reversePath === undefined) return this.#say('rcpt', { code: 503, text: ['5.5.1 MAIL first'] });
        return this.#say('rcpt', { code: 250, text: ['2.1.5 recipient ok'] }, (said) => {
          if (isGood(said)) this.#recipients.push(path);
        });
      case 'DATA':
        if (this.#recipients.length === 0) return this.#say('data', { code: 503, text: ['5.5.1 no recipients'] });
        return this.#say('data', { code: 354, text: ['go on'] }, (said) => {
          if (said?.code !== 354) return;
          this.#body = true;
          this.#habit = bodyHabit(this.#exchanger.mood, this.#dice);
        });
      case 'RSET':
        this.#resetAt = sentAt;
        return this.#say('rset', { code: 250, text: ['2.0.0 forgotten'] });
      case 'QUIT':
        return this.#say('quit', { code: 221, text: ['2.0.0 bye'] }, () => this.#leave('end'));
      default:
        this.#note(`did not understand ${JSON.stringify(line.slice(0, 80))}`);
        return this.#say('rset', { code: 500, text: ['5.5.2 what?'] });
    }
  }

  /** The final dot has come. */
  #end(body: string): void {
    const recipients = this.#recipients;
    const reversePath = this.#reversePath ?? '';
    this.#reversePath = undefined;
    this.#recipients = [];
    const content = Buffer.from(body.replace(/^\./, '').replace(/\r\n\./g, '\r\n'), 'latin1');
    this.#say('dot', { code: 250, text: [`2.0.0 taken ${recipients.length}`] }, (said) => {
      // Who hangs up or talks nonsense may have taken the message all the same.
      const took = said === undefined ? this.#dice.happens(0.6) : isGood(said);
      if (!took) return;
      if (said !== undefined) this.#delivered += recipients.length;
      this.#exchanger.hearer.taken(this.#exchanger, {
        reversePath,
        recipients,
        body: content,
        pipe: this.#pipe,
        saidBy: said === undefined ? undefined : this.#written,
      });
    });
  }

  /**
   * Replies, in one way or another.
   *
   * @param then told at once what was said in the end; undefined when it was nothing that can be understood
   */
  #say(stage: Stage, good: Said, then: (said: Said | undefined) => void = () => undefined): void {
    const how = reaction(this.#exchanger.mood, stage, this.#dice);
    if (how !== 'well') this.#note(`${stage}: ${how}`);
    const speech = spoken(how, good);
    const finish = (): void => {
      for (const piece of speech.pieces) this.#write(piece);
      then(speech.said);
      if (speech.then === 'silence') this.#deaf = true;
      else if (speech.then !== 'go on') this.#leave(speech.then);
      this.#busy = false;
      this.#pump();
    };
    this.#busy = true;
    if (how === 'slowly') {
      const { clock } = this.#exchanger.hearer;
      clock.at(millis(clock.now() + this.#dice.within(100, 12_000)), () => {
        if (!this.#deaf) finish();
      });
    } else finish();
  }

  #write(text: string): void {
    this.#written += text.length;
    this.#pipe.write([Buffer.from(text, 'latin1')]);
  }

  #leave(how: 'end' | 'destroy'): void {
    this.#deaf = true;
    if (how === 'end') this.#pipe.end();
    else this.#pipe.destroy();
  }

  #note(text: string): void {
    this.#exchanger.hearer.note(`${this.#name} ${text}`);
  }
}
