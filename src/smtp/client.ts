import type { Millis, Segments } from '../base/index.ts';
import { authFailed, clientAuthReplies, offersMechanism } from './client-auth.ts';
import type { ClientEvent, ClientSettings, ClientWord, Extensions, RecipientResult } from './client-events.ts';
import { readExtensions } from './client-extensions.ts';
import { type Awaited, noReply, patience, QUIT_MILLIS, stages, tlsReplies } from './client-stages.ts';
import { begun, confirm, type Due, fillRest, judgeRecipient, steps, type Transaction } from './client-transaction.ts';
import type { Machine } from './machine.ts';
import { type Reply, reply } from './reply.ts';
import { ReplyReader } from './reply-reader.ts';

const CLOSED = reply(451, '4.4.2', '[internal] connection closed by remote host');
const NO_EXTENSIONS: Extensions = { pipelining: false, size: undefined, keywords: new Map() };
const EMPTY: Segments = [];
/** A peer that goes on asking after a `*` is left. */
const MOST_CHALLENGES = 4;

/**
 * The sending side of SMTP and LMTP (RFC 5321, 2920, 1870, 2033, 3207, 4954) without I/O.
 *
 * Commands go out as soon as the peer allows: with PIPELINING a whole envelope at once, and the next envelope right
 * behind the final dot (RFC 2920 §3.1: DATA ends a group, message content may be followed by commands).
 * After a transaction that failed before its body a RSET goes ahead of the next one.
 */
export class SmtpClient implements Machine<ClientEvent, ClientWord> {
  #extensions: Extensions = NO_EXTENSIONS;
  readonly #settings: ClientSettings;
  #reader = new ReplyReader();
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
  #encrypted = false;
  /** The turn of a `secure` that was not answered; 0 when there is none. */
  #secureTurn = 0;
  /** Challenges that were answered. */
  #answered = 0;
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
    if (this.#secureTurn !== 0) return stages.handshake;
    const due = this.#due[0];
    return due === undefined ? stages.idle : stages.during[due.of];
  }

  receive(chunk: Uint8Array, now: Millis): void {
    if (this.#over) return;
    this.#reader.receive(chunk);
    while (this.#secureTurn === 0) {
      const said = this.#reader.next();
      if (said === undefined) return;
      if (said.kind === 'garbage') {
        this.#end(reply(451, '4.4.2', `[internal] unintelligible reply: ${said.text}`));
        return;
      }
      this.#hear(said.reply, said.lines, now);
      if (this.#over) return;
    }
    // What follows the go-ahead came in clear: nobody knows from whom (CVE-2011-0411).
    if (this.#reader.buffered > 0) this.#withoutTls(tlsReplies.failed, stages.handshake);
  }

  next(): ClientEvent | undefined {
    let event = this.#events.shift();
    // The peer has said goodbye meanwhile: nobody must begin anything.
    while ((event?.kind === 'ready' || event?.kind === 'secure') && this.#over) event = this.#events.shift();
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
      case 'secured':
        if (turn === this.#secureTurn) this.#secured(now);
        return;
      case 'insecure':
        if (turn !== this.#secureTurn) return;
        this.#secureTurn = 0;
        this.#end(word.reply, stages.handshake, 'failed');
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
    else if (!this.#lostTls() && this.#due[0] !== undefined) this.#end(noReply[this.#due[0].of]);
  }

  /** The driver moved bytes of a body: the peer is alive (spec: body write progress counts against body_timeout). */
  progress(now: Millis): void {
    if (this.#bodyOf !== undefined) this.#deadline = (now + this.#settings.timeouts.body) as Millis;
  }

  /** The pipe has closed. */
  closed(): void {
    if (!this.#over && !this.#lostTls()) this.#end(CLOSED);
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
    if (said.code === 421 && due.of !== 'quit') {
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
          this.#welcome(now);
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
        this.#welcome(now);
        return;
      case 'starttls':
        if (good) this.#handshake(now);
        else this.#refusedTls(said, now);
        return;
      case 'auth':
        this.#judgeAuth(said, good, now);
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
        if (!judgeRecipient(of, due.recipient, said)) return;
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
        confirm(of, said, this.#settings.lmtp ? due.recipient : undefined);
        if (!of.results.includes(undefined)) this.#finish(of, false, now);
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

  /** The greeting is done: TLS comes first, if it is wanted and to be had. */
  #welcome(now: Millis): void {
    const { use } = this.#settings.tls;
    const wanted = !this.#encrypted && use !== 'no';
    if (wanted && this.#extensions.keywords.has('STARTTLS')) {
      this.#out += 'STARTTLS\r\n';
      this.#expect('starttls', undefined, -1, now);
    } else if (wanted && use === 'required') this.#end(tlsReplies.notOffered, stages.after.ehlo, 'failed');
    else this.#logIn(now);
  }

  #logIn(now: Millis): void {
    const { auth } = this.#settings;
    if (auth === undefined) return this.#goOn();
    const why =
      auth.unusable ??
      (this.#encrypted || auth.insecure ? undefined : clientAuthReplies.inClear) ??
      (offersMechanism(this.#extensions.keywords.get('AUTH'), auth.mechanism)
        ? undefined
        : clientAuthReplies.notOffered);
    if (why !== undefined) return this.#end(why, stages.after.auth, 'failed');
    this.#out += `AUTH ${auth.mechanism}${auth.initial === undefined ? '' : ` ${auth.initial}`}\r\n`;
    this.#expect('auth', undefined, -1, now);
  }

  #judgeAuth(said: Reply, good: boolean, now: Millis): void {
    const answer = this.#settings.auth?.responses[this.#answered];
    if (good) this.#goOn();
    else if (said.code !== 334) this.#end(authFailed(said), stages.after.auth, 'failed');
    else if (this.#answered > MOST_CHALLENGES) this.#end(authFailed(said), stages.after.auth, 'failed');
    else {
      this.#answered += 1;
      // What we have no answer to is cancelled (RFC 4954 §4).
      this.#out += `${answer ?? '*'}\r\n`;
      this.#expect('auth', undefined, -1, now);
    }
  }

  #goOn(): void {
    this.#greeted = true;
    this.#ready(false);
  }

  #handshake(now: Millis): void {
    this.#secureTurn = ++this.#turn;
    this.#deadline = (now + this.#settings.timeouts.ehlo) as Millis;
    this.#event({ kind: 'secure', turn: this.#secureTurn });
  }

  /** RFC 3207 §4.2: what the peer said of itself in clear is forgotten. */
  #secured(now: Millis): void {
    this.#secureTurn = 0;
    this.#encrypted = true;
    this.#extensions = NO_EXTENSIONS;
    this.#reader = new ReplyReader();
    this.#greet(now);
  }

  /** The peer is silent or gone. @returns false when that has nothing to do with TLS */
  #lostTls(): boolean {
    if (this.#secureTurn !== 0) this.#withoutTls(tlsReplies.failed, stages.handshake);
    else if (this.#due[0]?.of === 'starttls') this.#withoutTls(tlsReplies.noGoAhead, stages.during.starttls);
    else return false;
    return true;
  }

  #refusedTls(said: Reply, now: Millis): void {
    const { use, fallback, alwaysNewConnection } = this.#settings.tls;
    if (use === 'ifavailable' && fallback && !alwaysNewConnection && said.code !== 421) this.#logIn(now);
    else this.#withoutTls(tlsReplies.noGoAhead, stages.after.starttls);
  }

  /** TLS was offered and cannot be had: the session is over. */
  #withoutTls(why: Reply, stage: number): void {
    const { use, fallback } = this.#settings.tls;
    this.#end(why, stage, use === 'ifavailable' && fallback ? 'plain' : 'failed');
  }

  #begin(word: Extract<ClientWord, { kind: 'transaction' }>, now: Millis): void {
    // A session that has done its work before may have ended just now for that reason alone: then a message is charged
    // only once the peer has answered to it.
    const of = begun(word, this.#transactions.length === 0 && !this.#proven);
    this.#transactions.push(of);
    if (!of.results.includes(undefined)) {
      this.#finish(of, false, now);
      return;
    }
    if (this.#resetFirst) {
      this.#resetFirst = false;
      this.#step('RSET\r\n', { of: 'rset', transaction: undefined, recipient: -1 }, now);
    }
    for (const { line, due } of steps(of, this.#extensions.size !== undefined)) this.#step(line, due, now);
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
  #end(why: Reply, at?: number, tls?: 'plain' | 'failed'): void {
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
    // And inside a handshake it would be taken for a part of that.
    const mute = this.#bodyOf !== undefined || this.#secureTurn !== 0;
    this.#out = mute || why === CLOSED || why.code === 421 ? '' : 'QUIT\r\n';
    this.#bodyOf = undefined;
    this.#secureTurn = 0;
    const over = { kind: 'over', turn: ++this.#turn, before: !this.#greeted, reply: why, stage } as const;
    this.#event(tls === undefined ? over : { ...over, tls });
  }

  #expect(of: Awaited, transaction: Transaction | undefined, recipient: number, now: Millis): void {
    this.#due.push({ of, transaction, recipient });
    if (this.#due.length === 1) this.#arm(now);
  }

  #arm(now: Millis): void {
    if (this.#bodyOf !== undefined || this.#secureTurn !== 0) return;
    const due = this.#due[0];
    this.#deadline = due === undefined ? undefined : ((now + patience(due.of, this.#settings.timeouts)) as Millis);
  }

  #event(event: ClientEvent): void {
    this.#events.push(event);
  }
}
