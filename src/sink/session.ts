import { type Millis, millis } from '../base/index.ts';
import { type Reply, reply, type ServerEvent, type ServerWord, type SmtpServer, smtpServer } from '../smtp/index.ts';
import type { Clock, NetworkError, Pipe, PipeHost, TlsContext } from '../world/index.ts';
import type { Action } from './action.ts';
import type { Verdict } from './counters.ts';
import { actionFor, type Rule } from './rules.ts';
import { type Judgement, MOST_RECIPIENTS, type Recipient, Transaction } from './transaction.ts';

/** What a session asks of the sink that it belongs to. */
export interface Provider {
  readonly clock: Clock;
  readonly hostName: string;
  readonly rules: readonly Rule[];
  readonly maxMessageSize: number;
  /** Makes it offer STARTTLS. */
  readonly tls: TlsContext | undefined;
  /** A session is encrypted now. */
  secured(): void;
  /** Whole messages are wanted: `accept` may then answer later. */
  readonly keeps: boolean;
  readonly stopping: boolean;
  /** A reason not to talk to a new client; undefined when it is welcome. */
  greet(now: Millis): Reply | undefined;
  /** Somebody who was told to come back has come back late enough. */
  welcome(recipient: Recipient, reversePath: string, client: string, now: Millis): boolean;
  /** A recipient whose story ends before the dot. */
  settle(recipient: Recipient, verdict: Verdict, reversePath: string, said: Reply | undefined): void;
  /** A whole message. @returns a promise only when it is kept; it gives the reply when that is another one */
  finish(transaction: Transaction, judgement: Judgement): Promise<Reply | undefined> | undefined;
  ended(session: SinkSession): void;
}

/** Commands that may wait while a reply is being delayed; a client that sends more is not read. */
const MOST_BUFFERED = 256 * 1024;
const IDLE_MILLIS = millis(300_000);

const SENDER_OK = reply(250, '2.1.0', 'sender accepted');
const RECIPIENT_OK = reply(250, '2.1.5', 'recipient accepted');
const START_MAIL = reply(354, undefined, 'go on, end with a dot on a line of its own');
const MESSAGE_OK = reply(250, '2.0.0', 'taken');
const RESET = reply(250, '2.0.0', 'forgotten');
const GO_AHEAD = reply(220, '2.0.0', 'ready to start TLS');
const BYE = reply(221, '2.0.0', 'bye');
const TOO_MANY = reply(452, '4.5.3', 'too many recipients');
const TOO_LARGE = reply(552, '5.3.4', 'message too large');
const UNKNOWN = reply(502, '5.5.1', 'command not implemented');
const STOPPING = reply(421, '4.3.2', 'the sink is shutting down');

/** One client of the sink: joins the server machine to a pipe, and answers as the recipients want it. */
export class SinkSession implements PipeHost {
  readonly #provider: Provider;
  readonly #pipe: Pipe;
  readonly #machine: SmtpServer;
  #transaction: Transaction | undefined;
  #timer: Disposable | undefined;
  #delayed: Disposable | undefined;
  #paused = false;
  /** The pipe takes no more for now: a client that does not read its replies is not read either. */
  #full = false;
  #peerDone = false;
  #shaking = false;
  #closed = false;

  constructor(provider: Provider, pipe: Pipe) {
    this.#provider = provider;
    this.#pipe = pipe;
    this.#machine = smtpServer({
      hostName: provider.hostName,
      maxMessageSize: provider.maxMessageSize,
      idle: IDLE_MILLIS,
      startTls: provider.tls !== undefined,
    });
  }

  /** To be called once, after the pipe knows its host. */
  begin(): void {
    this.#run();
  }

  data(chunk: Uint8Array): void {
    this.#machine.receive(chunk, this.#provider.clock.now());
    this.#run();
  }

  /** STARTTLS has led to a handshake: the client begins anew. */
  secured(): void {
    this.#transaction = undefined;
    this.#machine.secured(this.#provider.clock.now());
    this.#provider.secured();
    this.#run();
  }

  drained(): void {
    this.#full = false;
    this.#run();
  }

  /** No more commands will come; those that have are still answered. */
  ended(): void {
    this.#peerDone = true;
    this.#run();
  }

  closed(_why?: NetworkError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#delayed?.[Symbol.dispose]();
    this.#provider.ended(this);
  }

  /** The sink is stopping: ends now, or once the transaction is over. */
  stop(): void {
    this.#run();
  }

  abandon(): void {
    this.#pipe.destroy();
    this.closed();
  }

  #run(): void {
    if (this.#closed) return;
    for (let event = this.#machine.next(); event !== undefined; event = this.#machine.next()) {
      this.#hear(event);
      if (this.#closed) return;
    }
    if (this.#provider.stopping && (this.#machine.state === 'start' || this.#machine.state === 'ready')) {
      this.#machine.dismiss(STOPPING);
      this.#run();
      return;
    }
    this.#flush();
    this.#handshake();
    if (this.#peerDone && this.#machine.waits === 'bytes') return this.#leave();
    this.#throttle();
    if (this.#timer === undefined) this.#watch();
  }

  /** The 220 to STARTTLS has gone out. */
  #handshake(): void {
    const { tls } = this.#provider;
    if (this.#machine.state !== 'tls' || this.#shaking || tls === undefined) return;
    this.#shaking = true;
    this.#pipe.secure({ as: 'server', context: tls });
  }

  #hear(event: ServerEvent): void {
    switch (event.kind) {
      case 'connect': {
        const unwelcome = this.#provider.greet(this.#provider.clock.now());
        return this.#say(
          event.turn,
          unwelcome ?? reply(220, undefined, `${this.#provider.hostName} ESMTP Impetus sink`),
        );
      }
      case 'ehlo':
        this.#transaction = undefined;
        return this.#say(event.turn, reply(250, undefined, this.#extensions()));
      case 'helo':
        this.#transaction = undefined;
        return this.#say(event.turn, reply(250, undefined, this.#provider.hostName));
      case 'mail':
        this.#transaction = new Transaction(event.path, this.#provider.keeps, this.#provider.maxMessageSize);
        return this.#say(event.turn, SENDER_OK);
      case 'rcpt':
        return this.#hearRecipient(event.turn, event.path);
      case 'data':
        return this.#machine.say(event.turn, { reply: START_MAIL, then: 'read body' }, this.#provider.clock.now());
      case 'body':
        this.#transaction?.take(event.bytes);
        if (this.#transaction?.dropsText === true) this.#drop(this.#transaction);
        return;
      case 'end-of-data':
        return this.#hearEnd(event.turn);
      case 'rset':
        this.#transaction = undefined;
        return this.#say(event.turn, RESET);
      case 'starttls':
        return this.#word(event.turn, { reply: GO_AHEAD, then: 'start TLS' });
      case 'quit':
        return this.#word(event.turn, { reply: BYE, then: 'close' });
      case 'gone':
        this.#flush();
        return this.#leave();
      case 'refused':
        return;
      default:
        return this.#say(event.turn, UNKNOWN);
    }
  }

  #extensions(): string {
    const size = this.#provider.maxMessageSize;
    return [
      this.#provider.hostName,
      'PIPELINING',
      '8BITMIME',
      'ENHANCEDSTATUSCODES',
      size > 0 ? `SIZE ${size}` : 'SIZE',
      ...(this.#provider.tls === undefined || this.#machine.encrypted ? [] : ['STARTTLS']),
    ].join('\n');
  }

  #hearRecipient(turn: number, path: string): void {
    const transaction = this.#transaction;
    if (transaction === undefined) return this.#say(turn, UNKNOWN);
    if (transaction.recipients.length >= MOST_RECIPIENTS) return this.#say(turn, TOO_MANY);
    const action = actionFor(path, this.#provider.rules);
    const recipient = { path, domain: path.slice(path.lastIndexOf('@') + 1 || path.length).toLowerCase(), action };
    switch (this.#atRecipient(recipient, transaction.reversePath)) {
      case 'take':
        transaction.add(recipient);
        if (action.behaviour === 'slow' && action.stage !== 'dot')
          return this.#sayLater(turn, RECIPIENT_OK, action.delay);
        return this.#say(turn, RECIPIENT_OK);
      case 'drop':
        this.#provider.settle(recipient, 'dropped', transaction.reversePath, undefined);
        return this.abandon();
      case 'turn down':
        this.#provider.settle(
          recipient,
          action.behaviour === 'refuse' ? 'refused' : 'deferred',
          transaction.reversePath,
          action.reply,
        );
        return this.#say(turn, action.reply);
    }
  }

  #atRecipient(recipient: Recipient, reversePath: string): 'take' | 'drop' | 'turn down' {
    const { behaviour, stage } = recipient.action;
    if (behaviour === 'grey' || behaviour === 'busy') {
      const welcome = this.#provider.welcome(recipient, reversePath, this.#pipe.remote.ip, this.#provider.clock.now());
      return welcome ? 'take' : 'turn down';
    }
    if (stage !== 'rcpt') return 'take';
    if (behaviour === 'drop') return 'drop';
    return refusing(recipient.action) ? 'turn down' : 'take';
  }

  #hearEnd(turn: number): void {
    const transaction = this.#transaction;
    if (transaction === undefined) return this.#say(turn, UNKNOWN);
    // An empty text brings no body event.
    if (transaction.dropsText) return this.#drop(transaction);
    this.#transaction = undefined;
    const most = this.#provider.maxMessageSize;
    const judgement: Judgement =
      most > 0 && transaction.bytes > most
        ? { verdict: 'refused', reply: TOO_LARGE, delay: millis(0) }
        : transaction.judge(MESSAGE_OK);
    const kept = this.#provider.finish(transaction, judgement);
    if (judgement.verdict === 'dropped') return this.abandon();
    if (kept === undefined) return this.#sayLater(turn, judgement.reply, judgement.delay);
    kept.then(
      (other) => {
        if (this.#closed) return;
        this.#sayLater(turn, other ?? judgement.reply, judgement.delay);
        this.#run();
      },
      (bug: unknown) => {
        this.abandon();
        throw bug;
      },
    );
  }

  #drop(transaction: Transaction): void {
    this.#transaction = undefined;
    for (const recipient of transaction.recipients)
      this.#provider.settle(recipient, 'dropped', transaction.reversePath, undefined);
    this.abandon();
  }

  #say(turn: number, said: Reply): void {
    this.#word(turn, { reply: said, then: said.code === 421 ? 'close' : 'go on' });
  }

  #sayLater(turn: number, said: Reply, delay: Millis): void {
    if (delay === 0) return this.#say(turn, said);
    const { clock } = this.#provider;
    this.#delayed = clock.at(millis(clock.now() + delay), () => {
      this.#delayed = undefined;
      this.#say(turn, said);
      this.#run();
    });
  }

  #word(turn: number, word: ServerWord): void {
    this.#machine.say(turn, word, this.#provider.clock.now());
  }

  #flush(): void {
    const bytes = this.#machine.take();
    if (bytes.length > 0 && !this.#pipe.write(bytes)) this.#full = true;
  }

  /** Reads on, or does not, as long as replies or commands are piling up. */
  #throttle(): void {
    const wanted = this.#full || (this.#machine.waits === 'word' && this.#machine.buffered > MOST_BUFFERED);
    if (wanted === this.#paused) return;
    this.#paused = wanted;
    if (wanted) this.#pipe.pause();
    else this.#pipe.resume();
  }

  /** One timer a session: it sees whether the deadline has moved, and sleeps again. */
  #watch(): void {
    const due = this.#machine.deadline;
    if (due === undefined) return;
    const { clock } = this.#provider;
    this.#timer = clock.at(due, () => {
      this.#timer = undefined;
      const deadline = this.#machine.deadline;
      if (deadline !== undefined && deadline <= clock.now()) this.#machine.expire(clock.now());
      this.#run();
    });
  }

  /** What was said goes out first. */
  #leave(): void {
    this.#pipe.end();
    this.closed();
  }
}

function refusing(action: Action): boolean {
  return action.behaviour === 'refuse' || action.behaviour === 'defer';
}
