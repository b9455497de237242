import { type Millis, millis, type Segments } from '../base/index.ts';
import { type Reply, ReplyReader, replyText } from '../smtp/index.ts';
import type { Clock, ConnectHost, NetworkError, Pipe } from '../world/index.ts';
import type { TestMessage } from './send-message.ts';

/** Where a session takes its messages from and says what became of them. */
export interface Batch {
  /** The next message to send; undefined when there are no more. */
  next(): TestMessage | undefined;
  settled(message: TestMessage, result: Result): void;
  /** Every line of the dialogue; `to` the server or `from` it. */
  heard?(direction: 'to' | 'from', line: string): void;
  /** The connection is over; `trouble` when it did not end in order. Comes once, after the last `settled`. */
  ended(trouble: string | undefined): void;
}

export type Result =
  /** `reply` is the one to the final dot; `refused` names those of several recipients that were not taken. */
  | { readonly kind: 'accepted'; readonly reply: Reply; readonly refused: readonly Refusal[]; readonly took: Millis }
  | { readonly kind: 'refused'; readonly refused: readonly Refusal[] }
  /** The connection ended before the final reply: nobody knows. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface Refusal {
  /** The recipient, or the command that was refused for all of them. */
  readonly what: string;
  readonly reply: Reply;
}

/** RFC 5321 §4.5.3.2 asks for minutes; a person in front of a terminal wants to know sooner, but a slow sink is no error. */
export const REPLY_MILLIS = 120_000;

type Step = 'opening' | 'banner' | 'ehlo' | 'helo' | 'mail' | 'rcpt' | 'data' | 'dot' | 'rset' | 'quit';

const FINISHED = 'the server ended the session';

/** A small SMTP client: one transaction after the other, the commands of each in one write where the server allows it. */
export class SendSession implements ConnectHost {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #batch: Batch;
  readonly #replies = new ReplyReader();
  #pipe: Pipe | undefined;
  #timer: Disposable | undefined;
  /** Replies that are due, oldest first. */
  #due: Step[] = ['banner'];
  #pipelining = false;
  #sizeOffered = false;
  #eightBitOffered = false;
  #message: TestMessage | undefined;
  /** Recipients of the running transaction that were answered. */
  #answered = 0;
  #taken = 0;
  #refused: Refusal[] = [];
  #dotSent: Millis = millis(0);
  #heardAt: Millis = millis(0);
  #trouble: string | undefined;
  #closed = false;

  /** @param name  what we call ourselves in EHLO */
  constructor(clock: Clock, name: string, batch: Batch) {
    this.#clock = clock;
    this.#name = name;
    this.#batch = batch;
  }

  /** To be called at once after `connect`, which has given the pipe. */
  start(pipe: Pipe): void {
    this.#pipe = pipe;
    this.#heardAt = this.#clock.now();
    this.#watch();
  }

  opened(): void {}

  drained(): void {}

  data(chunk: Uint8Array): void {
    this.#replies.receive(chunk);
    for (let said = this.#replies.next(); said !== undefined && !this.#closed; said = this.#replies.next()) {
      if (said.kind === 'garbage') return this.#giveUp(`no SMTP reply: ${said.text}`);
      if (this.#batch.heard !== undefined) this.#show(said.reply, said.lines);
      this.#hear(said.reply, said.lines);
    }
  }

  closed(why?: NetworkError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    const orderly = this.#due[0] === 'quit';
    const reason = this.#trouble ?? why?.message ?? FINISHED;
    if (this.#message !== undefined) this.#settle({ kind: 'unknown', why: reason });
    this.#batch.ended(orderly && this.#trouble === undefined ? undefined : reason);
  }

  #hear(said: Reply, lines: readonly string[]): void {
    const step = this.#due.shift();
    this.#heardAt = this.#clock.now();
    switch (step) {
      case 'banner':
        if (said.code !== 220) return this.#giveUp(`the server greets with ${replyText(said)}`);
        return this.#command('ehlo', `EHLO ${this.#name}`);
      case 'ehlo':
        if (said.code === 250) this.#learn(lines);
        else if (said.code < 500) return this.#giveUp(`EHLO was answered with ${replyText(said)}`);
        else return this.#command('helo', `HELO ${this.#name}`);
        return this.#begin();
      case 'helo':
        if (said.code !== 250) return this.#giveUp(`HELO was answered with ${replyText(said)}`);
        return this.#begin();
      case 'mail':
        return this.#heardMail(said);
      case 'rcpt':
        return this.#heardRcpt(said);
      case 'data':
        return this.#heardData(said);
      case 'dot':
        return this.#heardDot(said);
      case 'rset':
        return said.code === 421 ? this.#giveUp(replyText(said)) : this.#begin();
      case 'quit':
        this.#due.unshift('quit');
        this.#pipe?.end();
        return;
      default:
        return this.#giveUp(`unasked, the server says ${replyText(said)}`);
    }
  }

  #learn(lines: readonly string[]): void {
    for (const line of lines.slice(1)) {
      const keyword = line.split(' ', 1)[0]?.toUpperCase();
      if (keyword === 'PIPELINING') this.#pipelining = true;
      if (keyword === 'SIZE') this.#sizeOffered = true;
      if (keyword === '8BITMIME') this.#eightBitOffered = true;
    }
  }

  #begin(): void {
    const message = this.#batch.next();
    if (message === undefined) return this.#command('quit', 'QUIT');
    this.#message = message;
    this.#answered = 0;
    this.#taken = 0;
    this.#refused = [];
    let mail = `MAIL FROM:<${message.reversePath}>`;
    if (this.#sizeOffered) mail += ` SIZE=${message.size}`;
    // RFC 6152: without the offer the text goes out as it is; a test program does not rewrite what it tests.
    if (message.eightBit && this.#eightBitOffered) mail += ' BODY=8BITMIME';
    if (!this.#pipelining) return this.#command('mail', mail);
    const lines = [mail, ...message.recipients.map((path) => `RCPT TO:<${path}>`), 'DATA'];
    this.#due.push('mail', ...message.recipients.map((): Step => 'rcpt'), 'data');
    this.#write(lines);
  }

  #heardMail(said: Reply): void {
    if (said.code !== 250) {
      this.#refused.push({ what: 'MAIL FROM', reply: said });
      if (said.code === 421) return this.#giveUp(replyText(said));
      if (!this.#pipelining) return this.#turnDown();
      return;
    }
    if (!this.#pipelining) this.#command('rcpt', `RCPT TO:<${this.#message?.recipients[0] ?? ''}>`);
  }

  #heardRcpt(said: Reply): void {
    const message = this.#message;
    if (message === undefined) return;
    const path = message.recipients[this.#answered++] ?? '';
    if (said.code === 250 || said.code === 251) this.#taken++;
    // Once MAIL was refused, 503 for the rest says nothing new.
    else if (this.#refused[0]?.what !== 'MAIL FROM') this.#refused.push({ what: path, reply: said });
    if (said.code === 421) return this.#giveUp(replyText(said));
    if (this.#pipelining) return;
    if (this.#answered < message.recipients.length)
      return this.#command('rcpt', `RCPT TO:<${message.recipients[this.#answered] ?? ''}>`);
    if (this.#taken === 0) return this.#turnDown();
    return this.#command('data', 'DATA');
  }

  #heardData(said: Reply): void {
    const message = this.#message;
    if (message === undefined) return;
    if (said.code === 354) {
      this.#due.push('dot');
      this.#dotSent = this.#clock.now();
      // RFC 2920 §3.1: 354 although every RCPT was refused is answered with a lone dot.
      if (this.#taken === 0) this.#writeBytes([Buffer.from('.\r\n')]);
      else this.#writeBytes(message.wire);
      this.#batch.heard?.('to', this.#taken === 0 ? '.' : `(${message.size} bytes of message, then the final dot)`);
      return;
    }
    if (this.#taken > 0 || this.#refused.length === 0) this.#refused.push({ what: 'DATA', reply: said });
    if (said.code === 421) return this.#giveUp(replyText(said));
    this.#turnDown();
  }

  #heardDot(said: Reply): void {
    if (this.#taken > 0 && said.code >= 200 && said.code < 300) {
      const took = millis(this.#clock.now() - this.#dotSent);
      this.#settle({ kind: 'accepted', reply: said, refused: this.#refused, took });
      return this.#begin();
    }
    if (this.#taken > 0) this.#refused.push({ what: 'the message', reply: said });
    this.#settle({ kind: 'refused', refused: this.#refused });
    if (said.code === 421) return this.#giveUp(replyText(said));
    this.#begin();
  }

  /** No text was asked for: the transaction is over, and RSET clears what the server may remember of it. */
  #turnDown(): void {
    this.#settle({ kind: 'refused', refused: this.#refused });
    this.#command('rset', 'RSET');
  }

  #settle(result: Result): void {
    const message = this.#message;
    if (message === undefined) return;
    this.#message = undefined;
    this.#batch.settled(message, result);
  }

  #giveUp(why: string): void {
    this.#trouble = why;
    if (this.#message !== undefined && this.#refused.length > 0)
      this.#settle({ kind: 'refused', refused: this.#refused });
    this.#pipe?.destroy();
    this.closed();
  }

  #command(step: Step, line: string): void {
    this.#due.push(step);
    this.#write([line]);
  }

  #write(lines: readonly string[]): void {
    if (this.#batch.heard !== undefined) for (const line of lines) this.#batch.heard('to', line);
    this.#writeBytes([Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1')]);
  }

  #writeBytes(bytes: Segments): void {
    // One message at a time is written, and its reply awaited: what waits in the pipe is bounded by a message.
    this.#pipe?.write(bytes);
  }

  #show(said: Reply, lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      this.#batch.heard?.('from', `${said.code}${index < lines.length - 1 ? '-' : ' '}${line}`);
    }
  }

  /** One timer a session: it looks when something was heard last, and sleeps again for what is left. */
  #watch(): void {
    this.#timer = this.#clock.at(millis(this.#heardAt + REPLY_MILLIS), () => {
      if (this.#closed) return;
      if (this.#clock.now() - this.#heardAt < REPLY_MILLIS) return this.#watch();
      this.#giveUp(`no reply within ${REPLY_MILLIS / 1000} s`);
    });
  }
}
