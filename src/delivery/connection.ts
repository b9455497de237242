import { type Millis, millis } from '../base/index.ts';
import type { Attempt, Item, Outcome } from '../queue/index.ts';
import { gate } from '../shaping/index.ts';
import { type ClientEvent, OutgoingBody, type RecipientResult, reply, SmtpClient, stages } from '../smtp/index.ts';
import type { NetworkError, Pipe } from '../world/index.ts';
import { BodySender, type SenderHost } from './body-sender.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decayed } from './host-state.ts';
import { LOCAL_TROUBLES } from './local-troubles.ts';
import type { OpenConnection } from './open-connection.ts';
import { Outlet } from './outlet.ts';
import { stageWords } from './stage-words.ts';
import type { Transaction } from './transaction.ts';

const UNREADABLE = reply(451, '4.3.0', '[internal] message body cannot be read');
const TOO_BIG = reply(552, '5.3.4', '[internal] message size exceeds remote limit');
/** Returned without a charge: nothing but another connection is needed. */
const OPEN = gate('open');

/**
 * Joins the client machine to a pipe and to a queue: one session, many transactions. All that one turn produces goes
 * out in one write, the next envelope behind the last body.
 */
export class Connection implements OpenConnection, SenderHost {
  readonly settings: ConnectionSettings;
  readonly openedAt: Millis;
  readonly #owner: ConnectionOwner<OpenConnection>;
  readonly #outlet = new Outlet();
  readonly #sender = new BodySender(this.#outlet, this);
  readonly #transactions: Transaction[] = [];
  #machine: SmtpClient | undefined;
  #number = 0;
  /** The turn of a `ready` that was not answered; 0 when there is none. */
  #ready = 0;
  #running = false;
  /** When something last arrived. */
  #heardAt: Millis;
  #timer: Disposable | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #idleSince: Millis | undefined;
  #stood = false;
  #leaving = false;
  #quitSaid = false;
  /** Everything is settled: nothing but the close of the pipe is awaited. */
  #done = false;
  #undecided = 0;
  /** Successful deliveries over this connection. */
  deliveries = 0;

  constructor(owner: ConnectionOwner<OpenConnection>, settings: ConnectionSettings) {
    this.#owner = owner;
    this.settings = settings;
    this.openedAt = owner.clock.now();
    this.#heardAt = this.openedAt;
  }

  /** To be called once with what `network.connect` gave. */
  start(pipe: Pipe): void {
    this.#outlet.pipe = pipe;
    this.#arm(millis(this.openedAt + this.settings.timeouts.connect));
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
        timeouts: {
          ehlo: timeouts.ehlo,
          mailFrom: timeouts.mailFrom,
          rcptTo: timeouts.rcptTo,
          body: timeouts.body,
          rset: timeouts.rset,
        },
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
    this.#report(of.items, cause);
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
    const idle =
      this.#idleSince === undefined ? Number.POSITIVE_INFINITY : this.#idleSince + this.settings.timeouts.idle;
    this.#arm(millis(Math.min(deadline ?? Number.POSITIVE_INFINITY, idle)));
  }

  #hear(machine: SmtpClient, event: ClientEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#ready = event.turn;
        if (!this.#stood) {
          this.#stood = true;
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
        if (of !== undefined) this.#owner.settle(of.items, () => this.#uncharged());
        return;
      }
      case 'over':
        this.#outlet.addAll(machine.take());
        // A peer that says goodbye together with its greeting was never there: the next one is tried.
        this.#finish(this.#stood ? undefined : () => this.#owner.unreachable(this, event.stage));
        return;
    }
  }

  /** Answers a `ready`: with a transaction, with QUIT, or not yet. */
  #offer(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#ready === 0) return;
    for (;;) {
      const items = this.#leaving ? [] : this.#owner.work(this);
      const first = items[0];
      if (first === undefined) break;
      const limit = machine.extensions.size;
      const { size } = first.message.envelope;
      if (limit !== undefined && limit > 0 && size > limit) {
        this.#owner.settle(items, () => ({
          kind: 'failed',
          reply: TOO_BIG,
          attempt: this.#attempt(stages.during.mail, 0),
        }));
        continue;
      }
      if (this.#begin(machine, items, first)) return;
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

  /** @returns false when the body is not to be had: its recipients wait for a better time */
  #begin(machine: SmtpClient, items: readonly Item[], first: Item): boolean {
    const now = this.#owner.clock.now();
    const { message } = first;
    let hold: Transaction['hold'];
    try {
      hold = this.#owner.spool.hold(message.at);
    } catch (cause) {
      this.#report(items, cause);
      this.#owner.settle(items, () => ({
        kind: 'deferred',
        reply: UNREADABLE,
        attempt: this.#attempt(stages.sendingBody, 0),
      }));
      return false;
    }
    const number = ++this.#number;
    const turn = this.#ready;
    this.#ready = 0;
    this.#idleSince = undefined;
    this.#transactions.push({
      number,
      items,
      hold,
      body: new OutgoingBody(message.traits.dots, message.traits.lone),
      startedAt: now,
      bytes: 0,
      turn: 0,
    });
    this.#undecided += items.length;
    const { recipients } = message.envelope;
    machine.say(
      turn,
      {
        kind: 'transaction',
        transaction: number,
        reversePath: message.envelope.reversePath,
        recipients: items.map((item) => recipients[item.recipient]?.path ?? ''),
        size: message.envelope.size,
      },
      now,
    );
    this.#outlet.addAll(machine.take());
    return true;
  }

  #quit(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#quitSaid) return;
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
      return { kind: result.kind, reply: result.reply, attempt: this.#attempt(result.stage, of.bytes) };
    });
    this.#rest();
  }

  #attempt(stage: number, bytes: number): Attempt {
    const { id, address, view } = this.settings;
    const { generation } = view;
    return { stage, connectionId: id, address: address.ip, host: address.host, bytes, generation };
  }

  #uncharged(): Outcome {
    return { kind: 'returned', gate: OPEN, until: this.#owner.clock.now() };
  }

  #report(items: readonly Item[], cause: unknown): void {
    const batchId = items[0]?.message.envelope.batchId ?? '';
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#owner.report(`batch ${batchId}: its body cannot be read and is tried again later: ${why}`);
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

  /** One timer, set again only when something is due earlier than it. */
  #arm(due: Millis): void {
    if (due >= this.#timerDue || this.#done) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#timerDue = due;
    if (Number.isFinite(due)) this.#timer = this.#owner.clock.at(due, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerDue = Number.POSITIVE_INFINITY;
    if (this.#done) return;
    const now = this.#owner.clock.now();
    const machine = this.#machine;
    if (machine === undefined) {
      const due = millis(this.openedAt + this.settings.timeouts.connect);
      if (now < due) {
        this.#arm(due);
        return;
      }
      this.#finish(() => this.#owner.unreachable(this, stages.notConnected));
      this.abort();
      return;
    }
    if (this.#idleSince !== undefined && now >= this.#idleSince + this.settings.timeouts.idle) this.#quit();
    machine.expire(now);
    this.#run();
  }

  /** Settles everything; the pipe closes once its last words have gone out, and then the owner hears of it. */
  #finish(before?: () => void): void {
    if (this.#done) return;
    this.#flush();
    this.#done = true;
    this.#ready = 0;
    this.#timer?.[Symbol.dispose]();
    this.#sender.stop();
    if (this.#machine !== undefined) this.#outlet.pipe?.end();
    before?.();
    for (const of of this.#transactions.splice(0)) {
      this.#close(of);
      this.#owner.settle(of.items, () => this.#uncharged());
    }
  }
}
