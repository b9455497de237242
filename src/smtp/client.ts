import type { Millis, Segments } from '../base/index.ts';
import type { ClientEvent, ClientSettings, ClientWord, Extensions, RecipientResult } from './client-events.ts';
import { readExtensions } from './client-extensions.ts';
import { type Awaited, noReply, stages } from './client-stages.ts';
import { failure, fillRest, type Transaction, unsafe } from './client-transaction.ts';
import type { Machine } from './machine.ts';
import { type Reply, reply } from './reply.ts';
import { ReplyReader } from './reply-reader.ts';

/** A reply that is due, in the order the commands went out. */
interface Due {
  readonly of: Awaited;
  readonly transaction: Transaction | undefined;
  /** Which recipient, for RCPT and for LMTP's replies after the dot. */
  readonly recipient: number;
}

const CLOSED = reply(451, '4.4.2', '[internal] connection closed by remote host');
const BAD_ARGUMENT = reply(550, '5.1.3', '[internal] MAIL FROM/RCPT TO arguments not valid');
const NO_EXTENSIONS: Extensions = { pipelining: false, size: undefined, keywords: new Map() };
const EMPTY: Segments = [];
const QUIT_MILLIS = 5000;

/**
 * The sending side of SMTP and LMTP (RFC 5321, 2920, 1870, 2033) without I/O.
 *
 * Commands go out as soon as the peer allows: with PIPELINING a whole envelope at once, and the next envelope right
 * behind the final dot (RFC 2920 §3.1: DATA ends a group, message content may be followed by commands).
 * After a transaction that failed before its body a RSET goes ahead of the next one.
 */
export class SmtpClient implements Machine<ClientEvent, ClientWord> {
  #extensions: Extensions = NO_EXTENSIONS;
  readonly #settings: ClientSettings;
  readonly #reader = new ReplyReader();
  readonly #due: Due[] = [];
  readonly #events: ClientEvent[] = [];
  #out = '';
  /** Steps of the transaction that may not go out yet: no PIPELINING. */
  readonly #held: { readonly line: string; readonly due: Due }[] = [];
  readonly #transactions: Transaction[] = [];
  #turn = 0;
  #readyTurn = 0;
  #bodyTurn = 0;
  #bodyOf: Transaction | undefined;
  #resetFirst = false;
  #greeted = false;
  /** A transaction has ended in this session. */
  #proven = false;
  #over = false;
  #quitting = false;
  #deadline: Millis | undefined;

  constructor(settings: ClientSettings, now: Millis) {
    this.#settings = settings;
    this.#expect('banner', undefined, -1, now);
  }

  get extensions(): Extensions {
    return this.#extensions;
  }

  get buffered(): number {
    return this.#reader.buffered;
  }

  get waits(): 'bytes' | 'word' {
    return this.#due.length > 0 ? 'bytes' : 'word';
  }

  get deadline(): Millis | undefined {
    return this.#deadline;
  }

  /** Whether a transaction has been begun and not judged: what a lost connection would cost. */
  get busy(): boolean {
    return this.#transactions.length > 0;
  }

  /** What the session is doing, as a stage code of the logs. */
  get stage(): number {
    if (this.#bodyOf !== undefined) return stages.sendingBody;
    const due = this.#due[0];
    return due === undefined ? stages.idle : stages.during[due.of];
  }

  receive(chunk: Uint8Array, now: Millis): void {
    if (this.#over) return;
    this.#reader.receive(chunk);
    for (;;) {
      const said = this.#reader.next();
      if (said === undefined) break;
      if (said.kind === 'garbage') {
        this.#end(reply(451, '4.4.2', `[internal] unintelligible reply: ${said.text}`));
        return;
      }
      this.#hear(said.reply, said.lines, now);
      if (this.#over) return;
    }
  }

  next(): ClientEvent | undefined {
    let event = this.#events.shift();
    // The peer has said goodbye meanwhile: nobody must begin anything.
    while (event?.kind === 'ready' && this.#over) event = this.#events.shift();
    return event;
  }

  take(): Segments {
    if (this.#out === '') return EMPTY;
    const bytes = Buffer.from(this.#out, 'latin1');
    this.#out = '';
    return [bytes];
  }

  say(turn: number, word: ClientWord, now: Millis): void {
    if (this.#over) return;
    switch (word.kind) {
      case 'transaction':
        if (turn === this.#readyTurn) {
          this.#readyTurn = 0;
          this.#begin(word, now);
        }
        return;
      case 'sent':
        if (turn === this.#bodyTurn) this.#bodySent(now);
        return;
      case 'broken':
        if (turn === this.#bodyTurn) this.#end(word.reply);
        return;
      case 'quit':
        if (turn !== this.#readyTurn) return;
        this.#readyTurn = 0;
        this.#quitting = true;
        this.#out += 'QUIT\r\n';
        this.#expect('quit', undefined, -1, now);
        if (this.#due.length === 1) this.#deadline = (now + QUIT_MILLIS) as Millis;
        return;
    }
  }

  expire(now: Millis): void {
    if (this.#over || this.#deadline === undefined || now < this.#deadline) return;
    // A body that makes no progress is cut with the timeout of the final dot.
    if (this.#bodyOf !== undefined) this.#end(reply(451, '4.4.2', '[internal] send BODY failed'));
    else if (this.#due[0] !== undefined) this.#end(noReply[this.#due[0].of]);
  }

  /** The driver moved bytes of a body: the peer is alive (spec: body write progress counts against body_timeout). */
  progress(now: Millis): void {
    if (this.#bodyOf !== undefined) this.#deadline = (now + this.#settings.timeouts.body) as Millis;
  }

  /** The pipe has closed. */
  closed(): void {
    if (!this.#over) this.#end(CLOSED);
  }

  #hear(said: Reply, lines: readonly string[], now: Millis): void {
    const due = this.#due.shift();
    if (due === undefined) {
      // An unasked refusal says goodbye (RFC 5321 §3.8), in the middle of a body as well; anything else unasked means
      // that the peer and we count differently.
      this.#end(said.code >= 400 ? said : reply(451, '4.4.2', '[internal] reply without a command'));
      return;
    }
    this.#deadline = undefined;
    this.#judge(due, said, lines, now);
    if (this.#over) return;
    const leaves = said.code === 421 && due.of !== 'quit';
    if (leaves) {
      this.#end(said);
      return;
    }
    this.#release(now);
    this.#arm(now);
  }

  #judge(due: Due, said: Reply, lines: readonly string[], now: Millis): void {
    const good = said.code >= 200 && said.code < 300;
    switch (due.of) {
      case 'banner':
        if (good) this.#greet(now);
        else this.#end(said, stages.after.banner);
        return;
      case 'ehlo':
        if (good) {
          this.#extensions = readExtensions(lines, this.#settings.pipelining);
          this.#greeted = true;
          this.#ready(false);
        } else if (said.code >= 500 && !this.#settings.lmtp) {
          this.#out += `HELO ${this.#settings.ehloName}\r\n`;
          this.#expect('helo', undefined, -1, now);
        } else this.#end(said, stages.after.ehlo);
        return;
      case 'helo':
        if (!good) {
          this.#end(said, stages.after.helo);
          return;
        }
        this.#greeted = true;
        this.#ready(false);
        return;
      case 'rset':
        if (!good) this.#end(said, stages.after.rset);
        return;
      case 'quit':
        this.#over = true;
        this.#event({ kind: 'over', turn: ++this.#turn, before: false, reply: said, stage: stages.idle });
        return;
      default:
        if (due.transaction !== undefined) this.#judgeTransaction(due, due.transaction, said, good, now);
    }
  }

  #judgeTransaction(due: Due, of: Transaction, said: Reply, good: boolean, now: Millis): void {
    of.started = true;
    switch (due.of) {
      case 'mail':
        if (!good) {
          of.refused = true;
          fillRest(of, said, stages.after.mail);
          this.#dropHeld(of);
        }
        return;
      case 'rcpt':
        if (of.refused) {
          of.astray ||= good;
          return;
        }
        if (good) of.accepted++;
        else of.results[due.recipient] = failure(said, stages.after.rcpt);
        // One command at a time: without any recipient there is no point in DATA.
        if (of.accepted === 0 && !of.results.includes(undefined)) this.#dropHeld(of);
        return;
      case 'data':
        if (said.code === 354) {
          if (of.accepted > 0) {
            this.#bodyOf = of;
            this.#bodyTurn = ++this.#turn;
            this.#deadline = (now + this.#settings.timeouts.body) as Millis;
            this.#event({ kind: 'body', turn: this.#bodyTurn, transaction: of.number });
          } else if (this.#settings.lmtp || of.astray) {
            // RFC 2033 §4.2 forbids that 354, and nobody knows how many replies a dot would bring; or the peer would
            // deliver an empty message. Leave, and without a word, which would be taken for content.
            this.#bodyOf = of;
            this.#end(reply(451, '4.4.2', '[internal] 354 without a recipient'));
          } else {
            // RFC 2920 §3.1: every recipient was refused and 354 came all the same: an empty body ends it.
            this.#out += '.\r\n';
            this.#expect('empty', of, -1, now);
          }
          return;
        }
        fillRest(of, good ? reply(451, '4.4.2', '[internal] no DATA response') : said, stages.after.data);
        this.#finish(of, true, now);
        return;
      case 'empty':
        this.#finish(of, false, now);
        return;
      case 'dot':
        if (this.#settings.lmtp) {
          of.results[due.recipient] = good
            ? { kind: 'delivered', reply: said, stage: stages.confirmation }
            : failure(said, stages.confirmation);
          if (!of.results.includes(undefined)) this.#finish(of, false, now);
          return;
        }
        for (let i = 0; i < of.results.length; i++) {
          of.results[i] ??= good
            ? { kind: 'delivered', reply: said, stage: stages.confirmation }
            : failure(said, stages.confirmation);
        }
        this.#finish(of, false, now);
        return;
      default:
        return;
    }
  }

  #greet(now: Millis): void {
    const { ehloName, lmtp, plainSmtp } = this.#settings;
    if (lmtp) this.#out += `LHLO ${ehloName}\r\n`;
    else this.#out += plainSmtp ? `HELO ${ehloName}\r\n` : `EHLO ${ehloName}\r\n`;
    this.#expect(plainSmtp ? 'helo' : 'ehlo', undefined, -1, now);
  }

  #begin(word: Extract<ClientWord, { kind: 'transaction' }>, now: Millis): void {
    const of: Transaction = {
      number: word.transaction,
      word,
      results: new Array<undefined>(word.recipients.length).fill(undefined),
      accepted: 0,
      refused: false,
      astray: false,
      // A session that has done its work before may have ended just now for that reason alone: then a message is
      // charged only once the peer has answered to it.
      started: this.#transactions.length === 0 && !this.#proven,
    };
    this.#transactions.push(of);
    if (unsafe(word.reversePath)) fillRest(of, BAD_ARGUMENT, stages.during.mail);
    for (let i = 0; i < word.recipients.length; i++)
      if (unsafe(word.recipients[i] ?? '')) of.results[i] ??= failure(BAD_ARGUMENT, stages.during.rcpt);
    if (!of.results.includes(undefined)) {
      this.#finish(of, false, now);
      return;
    }
    if (this.#resetFirst) {
      this.#resetFirst = false;
      this.#step('RSET\r\n', { of: 'rset', transaction: undefined, recipient: -1 }, now);
    }
    const size = this.#extensions.size === undefined ? '' : ` SIZE=${word.size}`;
    const asked = word.mailParameters ?? '';
    this.#step(
      `MAIL FROM:<${word.reversePath}>${size}${asked}\r\n`,
      { of: 'mail', transaction: of, recipient: -1 },
      now,
    );
    for (let i = 0; i < word.recipients.length; i++) {
      if (of.results[i] !== undefined) continue;
      const line = `RCPT TO:<${word.recipients[i]}>${word.recipientParameters?.[i] ?? ''}\r\n`;
      this.#step(line, { of: 'rcpt', transaction: of, recipient: i }, now);
    }
    this.#step('DATA\r\n', { of: 'data', transaction: of, recipient: -1 }, now);
  }

  #step(line: string, due: Due, now: Millis): void {
    if (this.#extensions.pipelining || (this.#due.length === 0 && this.#held.length === 0)) {
      this.#out += line;
      this.#due.push(due);
      if (this.#due.length === 1) this.#arm(now);
    } else this.#held.push({ line, due });
  }

  #release(now: Millis): void {
    if (this.#due.length > 0 || this.#bodyOf !== undefined) return;
    const step = this.#held.shift();
    if (step === undefined) return;
    this.#out += step.line;
    this.#due.push(step.due);
    this.#arm(now);
  }

  /** Commands of a transaction that has failed and were not sent yet. */
  #dropHeld(of: Transaction): void {
    if (this.#extensions.pipelining) return;
    for (let i = this.#held.length - 1; i >= 0; i--) {
      if (this.#held[i]?.due.transaction === of) this.#held.splice(i, 1);
    }
    this.#finish(of, true, undefined);
  }

  #bodySent(now: Millis): void {
    const of = this.#bodyOf;
    if (of === undefined) return;
    this.#bodyOf = undefined;
    this.#bodyTurn = 0;
    if (this.#settings.lmtp) {
      for (let i = 0; i < of.results.length; i++) if (of.results[i] === undefined) this.#expect('dot', of, i, now);
    } else this.#expect('dot', of, -1, now);
    this.#arm(now);
    if (this.#extensions.pipelining) this.#ready(true);
  }

  #finish(of: Transaction, reset: boolean, now: Millis | undefined): void {
    const at = this.#transactions.indexOf(of);
    if (at === -1) return;
    this.#transactions.splice(at, 1);
    this.#proven = true;
    fillRest(of, noReply.mail, stages.unknown);
    if (reset) this.#resetFirst = true;
    this.#event({
      kind: 'settled',
      turn: ++this.#turn,
      transaction: of.number,
      results: of.results as RecipientResult[],
    });
    if (this.#transactions.length === 0 && this.#readyTurn === 0 && !this.#quitting && !this.#over) this.#ready(false);
    if (now !== undefined) this.#arm(now);
  }

  #ready(ahead: boolean): void {
    this.#readyTurn = ++this.#turn;
    this.#event({ kind: 'ready', turn: this.#readyTurn, ahead });
  }

  /** The session is over: whoever was being talked about gets the reply, whoever only waited goes back uncharged. */
  #end(why: Reply, at?: number): void {
    const stage = at ?? this.stage;
    this.#over = true;
    this.#deadline = undefined;
    for (const of of this.#transactions.splice(0)) {
      if (of.started) {
        fillRest(of, why, stage);
        this.#event({
          kind: 'settled',
          turn: ++this.#turn,
          transaction: of.number,
          results: of.results as RecipientResult[],
        });
      } else this.#event({ kind: 'returned', turn: ++this.#turn, transaction: of.number });
    }
    this.#due.length = 0;
    this.#held.length = 0;
    // Inside a body not a byte may follow: the peer would take it for content.
    this.#out = this.#bodyOf === undefined && why !== CLOSED && why.code !== 421 ? 'QUIT\r\n' : '';
    this.#bodyOf = undefined;
    this.#event({ kind: 'over', turn: ++this.#turn, before: !this.#greeted, reply: why, stage });
  }

  #expect(of: Awaited, transaction: Transaction | undefined, recipient: number, now: Millis): void {
    this.#due.push({ of, transaction, recipient });
    if (this.#due.length === 1) this.#arm(now);
  }

  #arm(now: Millis): void {
    if (this.#bodyOf !== undefined) return;
    const due = this.#due[0];
    this.#deadline = due === undefined ? undefined : ((now + this.#timeout(due.of)) as Millis);
  }

  #timeout(of: Awaited): number {
    const { timeouts } = this.#settings;
    switch (of) {
      case 'mail':
        return timeouts.mailFrom;
      case 'rcpt':
      case 'data':
        return timeouts.rcptTo;
      case 'dot':
      case 'empty':
        return timeouts.body;
      case 'rset':
        return timeouts.rset;
      case 'quit':
        return QUIT_MILLIS;
      default:
        return timeouts.ehlo;
    }
  }

  #event(event: ClientEvent): void {
    this.#events.push(event);
  }
}
