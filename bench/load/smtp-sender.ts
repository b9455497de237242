import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { ReplyScanner } from './reply-scanner.ts';
import { type Exchange, exchange } from './sasl.ts';
import type { Plan } from './smtp-plan.ts';
import type { Tally, Timed } from './tally.ts';

/** A message that is to be sent. */
export interface Letter {
  readonly number: number;
  /** With its final dot. */
  readonly text: Buffer;
  /** Bytes without it. */
  readonly bytes: number;
}

/** What senders of one process share. */
export interface Desk {
  readonly plan: Plan;
  readonly tally: Tally;
  /** The last TLS session, for the next connection. */
  ticket: Buffer | undefined;
  /**
   * The next message.
   *
   * @param ahead  it would go out behind another one
   * @returns `wait`: the sender will be told with `go`, never given to one that asks ahead; undefined: there are no more
   */
  letter(sender: Sender, ahead: boolean): Letter | 'wait' | undefined;
  /** The connection has gone. */
  over(sender: Sender): void;
}

type Due = 'banner' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'end of data' | 'RSET' | 'QUIT';

/** One connection: greets, encrypts, authenticates, and sends messages until there are no more. */
export class Sender {
  /** When something last came, for the worker's clock. */
  heardAt = performance.now();
  readonly #desk: Desk;
  readonly #number: number;
  readonly #replies: ReplyScanner;
  readonly #due: Due[] = [];
  /** Commands that wait for the reply to the one before. */
  readonly #held: { readonly due: Due; readonly line: string }[] = [];
  #socket: Socket;
  #exchange: Exchange | undefined;
  #began = performance.now();
  #mailAt = 0;
  #textAt = 0;
  #encrypted = false;
  /** The message whose replies come in, and the one whose envelope is pipelined behind it. */
  #letter: Letter | undefined;
  #next: Letter | undefined;
  #failed = false;
  #recipients = 0;
  #sent = 0;
  #leaving = false;
  #gone = false;

  constructor(desk: Desk, number: number) {
    this.#desk = desk;
    this.#number = number;
    this.#replies = new ReplyScanner((code, text) => this.#reply(code, text));
    this.#replies.keep = desk.plan.auth !== undefined;
    const { host, port, sources } = desk.plan;
    const localAddress = sources.length === 0 ? undefined : sources[number % sources.length];
    this.#socket = createConnection({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#listen(this.#socket);
    this.#expect('banner');
    if (desk.plan.tls === 'implicit') this.#encrypt();
    else this.#socket.on('data', (chunk: Buffer) => this.#data(chunk));
  }

  /** It waited for a message; undefined: there are no more. */
  go(letter: Letter | undefined): void {
    if (letter === undefined) this.quit();
    else this.#envelope(letter);
  }

  quit(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#command('QUIT', 'QUIT');
    this.#socket.end();
  }

  /** Hangs up. @param why  an error to count; without one the load is over and nothing is wrong */
  drop(why?: string): void {
    if (why !== undefined && !this.#gone) this.#desk.tally.fail(`${why} at ${this.#due[0] ?? 'rest'}`);
    this.#leaving = true;
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#gone && !this.#leaving)
        this.#desk.tally.fail(`${error.code ?? error.message} at ${this.#due[0] ?? 'rest'}`);
      this.#leaving = true;
    });
    socket.on('close', () => this.#closed());
  }

  #closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    const { tally } = this.#desk;
    if (!this.#leaving) tally.fail(`closed by the server at ${this.#due[0] ?? 'rest'}`);
    if (this.#letter !== undefined) tally.lost += 1;
    if (this.#next !== undefined) tally.lost += 1;
    this.#desk.over(this);
  }

  #encrypt(): void {
    const { plan, tally } = this.#desk;
    const began = performance.now();
    const raw = this.#socket;
    raw.removeAllListeners('data');
    const secure: TLSSocket = connectTls({
      socket: raw,
      servername: plan.serverName,
      // A load asks how fast, not whether it is he: certificates of tests are signed by nobody.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2' satisfies SecureVersion,
      ...(plan.resume && this.#desk.ticket !== undefined ? { session: this.#desk.ticket } : {}),
    });
    this.#socket = secure;
    this.#encrypted = true;
    this.#listen(secure);
    secure.on('session', (ticket: Buffer) => {
      if (plan.resume) this.#desk.ticket = ticket;
    });
    secure.on('secureConnect', () => {
      tally.times.TLS.add(performance.now() - began);
      if (secure.isSessionReused()) tally.resumed += 1;
      if (plan.tls === 'starttls') this.#command('EHLO', `EHLO ${plan.ehlo}`);
    });
    secure.on('data', (chunk: Buffer) => this.#data(chunk));
  }

  #data(chunk: Buffer): void {
    this.heardAt = performance.now();
    this.#replies.feed(chunk);
  }

  #expect(due: Due): void {
    this.#due.push(due);
  }

  #command(due: Due, line: string): void {
    this.#expect(due);
    this.#socket.write(`${line}\r\n`, 'latin1');
  }

  #reply(code: number, text: string): void {
    const { plan, tally } = this.#desk;
    const due = this.#due.shift();
    if (due === undefined) {
      if (this.#leaving) return;
      tally.refuse('unasked', code);
      this.#leaving = true;
      return;
    }
    const good = code >= 200 && code < 300;
    switch (due) {
      case 'banner':
        if (!good) return this.#refused(due, code);
        tally.connections += 1;
        this.#took('connect', this.#began);
        return this.#command('EHLO', `EHLO ${plan.ehlo}`);
      case 'EHLO':
        if (!good) return this.#refused(due, code);
        if (plan.tls === 'starttls' && !this.#encrypted) return this.#command('STARTTLS', 'STARTTLS');
        if (plan.auth === undefined) return this.#proceed();
        this.#began = performance.now();
        this.#exchange = exchange(plan.auth, plan.user, plan.password);
        return this.#command('AUTH', `AUTH ${this.#exchange.first}`);
      case 'STARTTLS':
        return good ? this.#encrypt() : this.#refused(due, code);
      case 'AUTH':
        if (code === 334) return this.#command('AUTH', this.#exchange?.answer(text) ?? '*');
        if (!good) return this.#refused(due, code);
        this.#took('AUTH', this.#began);
        this.#replies.keep = false;
        return this.#proceed();
      case 'MAIL':
        this.#took('MAIL', this.#mailAt);
        if (!good) this.#refuse(due, code);
        return this.#release();
      case 'RCPT':
        if (good) this.#recipients += 1;
        else if (!this.#failed) tally.refuse(due, code);
        return this.#release();
      case 'DATA':
        this.#took('DATA', this.#mailAt);
        if (code === 354) return this.#text();
        if (this.#recipients > 0) this.#refuse(due, code);
        this.#letter = undefined;
        // What was begun stays begun at the server.
        return code === 421 ? undefined : this.#command('RSET', 'RSET');
      case 'end of data':
        this.#took('end of data', this.#textAt);
        return this.#taken(good, code);
      case 'RSET':
        return good ? this.#proceed() : this.#refused(due, code);
      case 'QUIT':
        return;
    }
  }

  #taken(good: boolean, code: number): void {
    const { tally } = this.#desk;
    if (good) {
      tally.accepted += 1;
      tally.acceptedRecipients += this.#recipients;
      tally.bytes += this.#letter?.bytes ?? 0;
    } else tally.refuse('end of data', code);
    if (code === 421) this.#leaving = true;
    this.#letter = this.#next;
    this.#next = undefined;
    this.#failed = false;
    this.#recipients = 0;
    if (this.#letter === undefined) this.#proceed();
  }

  /** The message in hand will not be taken. */
  #refuse(what: Due, code: number): void {
    if (!this.#failed) this.#desk.tally.refuse(what, code);
    this.#failed = true;
    if (code === 421) this.#leaving = true;
  }

  /** Nothing can be sent over this connection. */
  #refused(what: Due, code: number): void {
    this.#desk.tally.refuse(what, code);
    this.quit();
  }

  #took(what: Timed, since: number): void {
    this.#desk.tally.times[what].add(performance.now() - since);
  }

  get #full(): boolean {
    const { perConnection } = this.#desk.plan;
    return perConnection > 0 && this.#sent >= perConnection;
  }

  #proceed(): void {
    if (this.#leaving) return;
    if (this.#full || this.#desk.plan.noMail) return this.quit();
    const letter = this.#desk.letter(this, false);
    if (letter === 'wait') return;
    this.go(letter);
  }

  #envelope(letter: Letter): void {
    this.#letter = letter;
    this.#failed = false;
    this.#recipients = 0;
    const lines = this.#lines(letter);
    this.#mailAt = performance.now();
    if (this.#desk.plan.pipelining) {
      for (const { due } of lines) this.#expect(due);
      this.#socket.write(textOfLines(lines), 'latin1');
      return;
    }
    this.#held.push(...lines);
    this.#release();
  }

  #lines(letter: Letter): readonly { readonly due: Due; readonly line: string }[] {
    const { plan, tally } = this.#desk;
    tally.sent += 1;
    this.#sent += 1;
    const lines: { due: Due; line: string }[] = [
      { due: 'MAIL', line: `MAIL FROM:<${filled(plan.from, letter.number, 0, this.#number)}>` },
    ];
    for (let r = 0; r < plan.recipients; r++)
      lines.push({ due: 'RCPT', line: `RCPT TO:<${filled(plan.to, letter.number, r, this.#number)}>` });
    lines.push({ due: 'DATA', line: 'DATA' });
    return lines;
  }

  /** Without pipelining: the next command, now that its turn has come. */
  #release(): void {
    const next = this.#held.shift();
    if (next === undefined) return;
    if (next.due === 'DATA' && this.#recipients === 0) {
      this.#letter = undefined;
      if (!this.#leaving) this.#command('RSET', 'RSET');
    } else if (this.#failed) {
      this.#held.length = 0;
      this.#letter = undefined;
      if (!this.#leaving) this.#proceed();
    } else this.#command(next.due, next.line);
  }

  #text(): void {
    const letter = this.#letter;
    if (letter === undefined) return;
    this.#textAt = performance.now();
    this.#expect('end of data');
    const ahead = this.#desk.plan.pipelining && !this.#full ? this.#desk.letter(this, true) : undefined;
    if (ahead === undefined || ahead === 'wait') {
      this.#socket.write(letter.text);
      return;
    }
    this.#next = ahead;
    const lines = this.#lines(ahead);
    for (const { due } of lines) this.#expect(due);
    this.#mailAt = this.#textAt;
    this.#socket.cork();
    this.#socket.write(letter.text);
    this.#socket.write(textOfLines(lines), 'latin1');
    this.#socket.uncork();
  }
}

function textOfLines(lines: readonly { readonly line: string }[]): string {
  let text = '';
  for (const { line } of lines) text += `${line}\r\n`;
  return text;
}

function filled(pattern: string, message: number, recipient: number, connection: number): string {
  if (!pattern.includes('{')) return pattern;
  return pattern
    .replaceAll('{n}', String(message))
    .replaceAll('{r}', String(recipient))
    .replaceAll('{c}', String(connection));
}
