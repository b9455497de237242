import { type Millis, millis } from '../base/index.ts';
import type { Item } from '../queue/index.ts';
import { type ClientEvent, OutgoingBody, type RecipientResult, type Reply, SmtpClient, stages } from '../smtp/index.ts';
import type { NetworkError, Pipe, TlsFacts } from '../world/index.ts';
import { limitOf } from './asking.ts';
import { BodySender, type SenderHost } from './body-sender.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { ConnectionTls } from './connection-tls.ts';
import { Deadline } from './deadline.ts';
import { decayed } from './host-state.ts';
import { LOCAL_TROUBLES } from './local-troubles.ts';
import type { OpenConnection } from './open-connection.ts';
import { Outlet } from './outlet.ts';
import { Preparation, type PreparationHost, type Prepared, UNREADABLE } from './preparation.ts';
import { HUNG_UP, Settlement } from './settlement.ts';
import { stageWords } from './stage-words.ts';
import type { Transaction } from './transaction.ts';

/**
 * Joins the client machine to a pipe and to a queue: one session, many transactions. All that one turn produces goes
 * out in one write, the next envelope behind the last body.
 */
export class Connection implements OpenConnection, SenderHost, PreparationHost {
  readonly settings: ConnectionSettings;
  readonly openedAt: Millis;
  readonly #owner: ConnectionOwner<OpenConnection>;
  readonly #outlet = new Outlet();
  readonly #sender = new BodySender(this.#outlet, this);
  readonly #preparation = new Preparation(this);
  readonly #transactions: Transaction[] = [];
  readonly #tls: ConnectionTls;
  readonly #settlement: Settlement;
  #machine: SmtpClient | undefined;
  #number = 0;
  /** The turn of a `ready` that was not answered; 0 when there is none. */
  #ready = 0;
  #running = false;
  /** When something last arrived. */
  #heardAt: Millis;
  readonly #deadline: Deadline;
  #idleSince: Millis | undefined;
  #stood = false;
  #leaving = false;
  #quitSaid = false;
  /** Everything is settled: nothing but the close of the pipe is awaited. */
  #done = false;
  #undecided = 0;
  /** Successful deliveries over this connection. */
  deliveries = 0;
  /** Recipients that were asked for over it. */
  recipients = 0;

  constructor(owner: ConnectionOwner<OpenConnection>, settings: ConnectionSettings) {
    this.#owner = owner;
    this.settings = settings;
    this.#tls = new ConnectionTls(settings);
    this.#settlement = new Settlement(owner, settings, this.#tls);
    this.openedAt = owner.clock.now();
    this.#heardAt = this.openedAt;
    this.#deadline = new Deadline(owner.clock, () => this.#expire());
  }

  /** To be called once with what `network.connect` gave. */
  start(pipe: Pipe): void {
    this.#outlet.pipe = pipe;
    this.#deadline.arm(millis(this.openedAt + this.settings.timeouts.connect));
  }

  get spool(): PreparationHost['spool'] {
    return this.#owner.spool;
  }

  /** In words, for consoles. */
  get state(): string {
    if (this.#machine === undefined) return 'connecting';
    if (this.#done) return 'closing';
    if (this.#idleSince !== undefined) return 'idle';
    return stageWords[this.#machine.stage] ?? 'busy';
  }

  /** Since when it waits for the peer. */
  get since(): Millis {
    return this.#heardAt;
  }

  /** The peer was ready for a message once. */
  get stood(): boolean {
    return this.#stood;
  }

  /** Recipients under way: nobody knows yet what becomes of them. */
  get undecided(): number {
    return this.#undecided;
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#ready === 0 || this.#done) return;
    this.#offer();
    this.#run();
  }

  /** Ends in order: what is in flight is finished, nothing new is begun. */
  leave(): void {
    this.#leaving = true;
    if (this.#machine === undefined) {
      this.abort();
      return;
    }
    if (this.#ready !== 0) this.#quit();
    this.#run();
  }

  /** Ends now. Whatever was in flight counts as an attempt. */
  abort(): void {
    this.#outlet.pipe?.destroy();
  }

  opened(): void {
    if (this.#done) return;
    const { clock } = this.#owner;
    const now = clock.now();
    const { state, timeouts, ehloName, method, pipelining } = this.settings;
    state.connectMillis = decayed(state.connectMillis, now - this.openedAt);
    this.#machine = new SmtpClient(
      {
        ehloName,
        plainSmtp: method === 'SMTP',
        lmtp: method === 'LMTP',
        pipelining,
        tls: this.#tls.wanted,
        auth: this.settings.auth,
        timeouts,
      },
      now,
    );
    this.#run();
  }

  data(chunk: Uint8Array): void {
    this.#heardAt = this.#owner.clock.now();
    this.#machine?.receive(chunk, this.#heardAt);
    this.#run();
  }

  secured(facts: TlsFacts): void {
    this.#heardAt = this.#owner.clock.now();
    if (this.#machine !== undefined) this.#tls.secured(this.#machine, facts, this.#heardAt);
    this.#run();
  }

  drained(): void {
    this.#outlet.drained();
    this.#machine?.progress(this.#owner.clock.now());
    this.#sender.pump();
    this.#run();
  }

  closed(why?: NetworkError): void {
    if (this.#machine === undefined) {
      this.#finish(() => {
        if (why !== undefined && LOCAL_TROUBLES.has(why.code)) this.#owner.troubled(why);
        else this.#owner.unreachable(this, stages.notConnected);
      });
    } else {
      this.#machine.closed();
      this.#run();
      this.#finish();
    }
    this.#owner.closed(this);
  }

  sent(of: Transaction): void {
    this.#machine?.say(of.turn, { kind: 'sent' }, this.#owner.clock.now());
  }

  broken(of: Transaction, cause: unknown): void {
    this.unreadable(of.items, cause);
    this.#machine?.say(of.turn, { kind: 'broken', reply: UNREADABLE }, this.#owner.clock.now());
    this.#run();
  }

  moved(): void {
    this.#run();
  }

  #run(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#running || this.#done) return;
    this.#running = true;
    try {
      for (let event = machine.next(); event !== undefined; event = machine.next()) this.#hear(machine, event);
    } finally {
      this.#running = false;
    }
    if (this.#done) return;
    this.#flush();
    const { deadline } = machine;
    // Who waits for the disk has something to do.
    const idle =
      this.#idleSince === undefined || this.#preparation.busy
        ? Number.POSITIVE_INFINITY
        : this.#idleSince + this.settings.timeouts.idle;
    this.#deadline.arm(millis(Math.min(deadline ?? Number.POSITIVE_INFINITY, idle)));
  }

  #hear(machine: SmtpClient, event: ClientEvent): void {
    switch (event.kind) {
      case 'secure':
        this.#tls.begin(machine, event.turn, this.#outlet, this.#owner.clock.now());
        return;
      case 'ready':
        this.#ready = event.turn;
        if (!this.#stood) {
          this.#stood = true;
          this.#tls.stands(this.#outlet.pipe);
          this.#owner.established(this);
        }
        this.#offer();
        return;
      case 'body': {
        const of = this.#transactions.find((each) => each.number === event.transaction);
        if (of === undefined) return;
        of.turn = event.turn;
        this.#sender.begin(of);
        return;
      }
      case 'settled':
        this.#settled(event.transaction, event.results);
        return;
      case 'returned': {
        const of = this.#remove(event.transaction);
        // The session ended before its turn: another connection takes it, nothing is charged.
        if (of !== undefined) this.givenBack(of.items);
        return;
      }
      case 'over':
        this.#outlet.addAll(machine.take());
        // A peer that says goodbye together with its greeting was never there: the next one is tried.
        this.#finish(this.#stood ? undefined : () => this.#neverStood(event));
        return;
    }
  }

  #neverStood({ tls, stage, reply: why }: Extract<ClientEvent, { kind: 'over' }>): void {
    if (tls === 'plain') this.#owner.plainNext(this);
    else if (tls === 'failed') this.#owner.insecure(this, stage, why);
    else this.#owner.unreachable(this, stage);
  }

  /** Answers a `ready`: with a transaction, with QUIT, or not yet. */
  #offer(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#ready === 0 || this.#preparation.busy) return;
    const mails = limitOf(machine.extensions, 'MAILMAX');
    if (mails > 0 && this.#number >= mails) this.#leaving = true;
    for (;;) {
      const items = this.#leaving ? [] : this.#owner.work(this);
      if (items.length === 0) break;
      if (this.#preparation.prepare(items, machine.extensions)) return;
    }
    if (this.#leaving) {
      this.#quit();
      return;
    }
    this.#rest();
    this.#owner.idle(this);
  }

  /** Idle time begins when nothing is under way and there was nothing to send. */
  #rest(): void {
    if (this.#ready !== 0 && this.#transactions.length === 0) this.#idleSince ??= this.#owner.clock.now();
  }

  begin({ asked, made }: Prepared): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    const now = this.#owner.clock.now();
    const number = ++this.#number;
    const turn = this.#ready;
    this.#ready = 0;
    this.#idleSince = undefined;
    const { hold, size, traits } = made;
    const { items, reversePath, recipients, mailParameters, recipientParameters } = asked;
    const body = new OutgoingBody(traits.dots, traits.lone);
    this.#transactions.push({ number, items, hold, body, startedAt: now, bytes: 0, turn: 0 });
    this.#undecided += items.length;
    this.recipients += items.length;
    machine.say(
      turn,
      { kind: 'transaction', transaction: number, reversePath, recipients, mailParameters, recipientParameters, size },
      now,
    );
    this.#outlet.addAll(machine.take());
  }

  judged(items: readonly Item[], said: Reply): void {
    this.#settlement.judged(items, said);
  }

  givenBack(items: readonly Item[]): void {
    this.#settlement.givenBack(items);
  }

  nothing(): void {
    this.#offer();
  }

  #quit(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#quitSaid || this.#preparation.busy) return;
    this.#quitSaid = true;
    this.#leaving = true;
    machine.say(this.#ready, { kind: 'quit' }, this.#owner.clock.now());
    this.#ready = 0;
    this.#idleSince = undefined;
    this.#outlet.addAll(machine.take());
  }

  #settled(number: number, results: readonly RecipientResult[]): void {
    const of = this.#remove(number);
    if (of === undefined) return;
    const { clock } = this.#owner;
    const { state } = this.settings;
    let delivered = 0;
    for (const result of results) if (result.kind === 'delivered') delivered++;
    this.deliveries += delivered;
    if (delivered > 0) state.deliveryMillis = decayed(state.deliveryMillis, clock.now() - of.startedAt);
    this.#owner.settle(of.items, (index) => {
      const result = results[index];
      if (result === undefined) throw new RangeError('a transaction was settled without a result for each recipient');
      return {
        kind: result.kind,
        reply: result.reply,
        attempt: this.#settlement.attempt(result.stage, of.bytes),
        ...this.#untold,
      };
    });
    this.#rest();
  }

  /** RFC 3461 §5.2.2: a server without DSN tells nobody; an LMTP server is the last one. */
  get #untold(): { readonly untold?: 'relayed' | 'delivered' } {
    if (this.#machine?.extensions.keywords.has('DSN') === true) return {};
    return { untold: this.settings.method === 'LMTP' ? 'delivered' : 'relayed' };
  }

  /** Most recipients of a transaction (RFC 9422), 0 when the peer names no limit. */
  get mostRecipients(): number {
    return this.#machine === undefined ? 0 : limitOf(this.#machine.extensions, 'RCPTMAX');
  }

  unreadable(items: readonly Item[], cause: unknown): void {
    this.#settlement.unreadable(items, cause);
  }

  #remove(number: number): Transaction | undefined {
    const at = this.#transactions.findIndex((each) => each.number === number);
    const of = at === -1 ? undefined : this.#transactions.splice(at, 1)[0];
    if (of !== undefined) this.#close(of);
    return of;
  }

  #close(of: Transaction): void {
    this.#undecided -= of.items.length;
    of.hold[Symbol.dispose]();
    this.#sender.stop(of);
  }

  #flush(): void {
    if (this.#machine !== undefined) this.#outlet.addAll(this.#machine.take());
    this.#outlet.flush();
  }

  #expire(): void {
    if (this.#done) return;
    const now = this.#owner.clock.now();
    const machine = this.#machine;
    if (machine === undefined) {
      const due = millis(this.openedAt + this.settings.timeouts.connect);
      if (now < due) {
        this.#deadline.arm(due);
        return;
      }
      this.#finish(() => this.#owner.unreachable(this, stages.notConnected));
      this.abort();
      return;
    }
    if (
      this.#idleSince !== undefined &&
      !this.#preparation.busy &&
      now >= this.#idleSince + this.settings.timeouts.idle
    )
      this.#quit();
    machine.expire(now);
    this.#run();
  }

  /** Settles everything; the pipe closes once its last words have gone out, and then the owner hears of it. */
  #finish(before?: () => void): void {
    if (this.#done) return;
    this.#flush();
    this.#done = true;
    this.#ready = 0;
    this.#deadline.stop();
    this.#sender.stop();
    if (this.#machine !== undefined) this.#outlet.pipe?.end();
    before?.();
    // A peer that hangs up before it is told of anything would be called again and again, were nothing charged for it.
    this.#preparation.cancel(this.#number === 0 && !this.#leaving ? HUNG_UP : undefined);
    for (const of of this.#transactions.splice(0)) {
      this.#close(of);
      this.givenBack(of.items);
    }
  }
}
