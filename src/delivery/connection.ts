import { type Millis, millis } from '../base/index.ts';
import type { BodyHold } from '../message/index.ts';
import type { Attempt, Item } from '../queue/index.ts';
import { gate } from '../shaping/index.ts';
import { type ClientEvent, OutgoingBody, type RecipientResult, reply, SmtpClient, stages } from '../smtp/index.ts';
import type { ConnectHost, NetworkError, Pipe } from '../world/index.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decayed } from './host-state.ts';
import { stageWords } from './stage-words.ts';

/** A slice of a body goes out in one write with whatever surrounds it. */
const SLICE = 65_536;
const TIMED_OUT = reply(450, '4.4.1', '[internal] Connection Timed Out');
const NO_CONNECTION = reply(451, '4.4.1', '[internal] No valid hosts (unable to make any connections)');
const UNREADABLE = reply(451, '4.3.0', '[internal] message body cannot be read');
/** Returned without a charge: nothing but another connection is needed. */
const OPEN = gate('open');
interface Transaction {
  readonly number: number;
  readonly items: readonly Item[];
  readonly hold: BodyHold;
  readonly body: OutgoingBody;
  readonly startedAt: Millis;
  bytes: number;
  turn: number;
}

/**
 * Joins the client machine to a pipe and to a queue: one session, many transactions. All that one turn produces goes
 * out in one write, the next envelope behind the last body.
 */
export class Connection implements ConnectHost {
  readonly settings: ConnectionSettings;
  readonly openedAt: Millis;
  readonly #owner: ConnectionOwner<Connection>;
  #machine: SmtpClient | undefined;
  #pipe: Pipe | undefined;
  readonly #transactions: Transaction[] = [];
  /** The transaction whose body is going out. */
  #sending: Transaction | undefined;
  #number = 0;
  /** The turn of a `ready` that was not answered; 0 when there is none. */
  #ready = 0;
  #out: Uint8Array[] = [];
  #blocked = false;
  #reading = false;
  #running = false;
  /** When something last arrived. */
  #heardAt: Millis;
  #timer: Disposable | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #idleSince: Millis | undefined;
  #leaving = false;
  #quitSaid = false;
  #done = false;
  /** Successful deliveries, and recipients tried, over this connection. */
  deliveries = 0;
  tried = 0;

  constructor(owner: ConnectionOwner<Connection>, settings: ConnectionSettings) {
    this.#owner = owner;
    this.settings = settings;
    this.openedAt = owner.clock.now();
    this.#heardAt = this.openedAt;
  }

  /** To be called once with what `network.connect` gave. */
  start(pipe: Pipe): void {
    this.#pipe = pipe;
    this.#arm(millis(this.openedAt + this.settings.timeouts.connect));
  }

  /** In words, for consoles. */
  get state(): string {
    if (this.#machine === undefined) return 'connecting';
    if (this.#idleSince !== undefined) return 'idle';
    return stageWords[this.#machine.stage] ?? 'busy';
  }

  /** Since when it waits for the peer. */
  get since(): Millis {
    return this.#heardAt;
  }

  get established(): boolean {
    return this.#machine !== undefined;
  }

  get pipe(): Pipe | undefined {
    return this.#pipe;
  }

  /** Waits for work: may be woken. */
  get isIdle(): boolean {
    return this.#ready !== 0 && !this.#leaving;
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#ready === 0) return;
    this.#offer();
    this.#run();
  }

  /** Ends in order: what is in flight is finished, nothing new is begun. */
  leave(): void {
    this.#leaving = true;
    if (this.#machine === undefined) {
      this.#pipe?.destroy();
      return;
    }
    if (this.#ready !== 0) this.#quit();
    this.#run();
  }

  /** Ends now. Whatever was in flight counts as an attempt. */
  abort(): void {
    this.#pipe?.destroy();
  }

  opened(): void {
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
    this.#blocked = false;
    this.#machine?.progress(this.#owner.clock.now());
    this.#pump();
    this.#run();
  }

  closed(why?: NetworkError): void {
    if (this.#done) return;
    if (this.#machine === undefined) {
      this.#finish(() =>
        this.#owner.unreachable(this, why?.code === 'ETIMEDOUT' ? TIMED_OUT : NO_CONNECTION, stages.notConnected),
      );
      return;
    }
    this.#machine.closed();
    this.#run();
    this.#finish();
  }

  #run(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#running || this.#done) return;
    this.#running = true;
    for (let event = machine.next(); event !== undefined; event = machine.next()) this.#hear(machine, event);
    this.#running = false;
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
        if (this.#number === 0) this.#owner.established(this);
        this.#ready = event.turn;
        this.#offer();
        return;
      case 'body': {
        const of = this.#transactions.find((each) => each.number === event.transaction);
        if (of === undefined) return;
        of.turn = event.turn;
        this.#sending = of;
        this.#pump();
        return;
      }
      case 'settled':
        this.#settled(event.transaction, event.results);
        return;
      case 'returned': {
        const of = this.#remove(event.transaction);
        // The session ended before its turn: another connection takes it, nothing is charged.
        if (of !== undefined)
          this.#owner.settle(of.items, () => ({ kind: 'returned', gate: OPEN, until: this.#owner.clock.now() }));
        return;
      }
      case 'over':
        for (const bytes of machine.take()) this.#out.push(bytes);
        this.#finish(event.before ? () => this.#owner.unreachable(this, event.reply, event.stage) : undefined);
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
        const tooBig = reply(552, '5.3.4', '[internal] message size exceeds remote limit');
        this.#owner.settle(items, () => ({
          kind: 'failed',
          reply: tooBig,
          attempt: this.#attempt(stages.during.mail, 0),
        }));
        continue;
      }
      this.#begin(machine, items, first);
      return;
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

  #begin(machine: SmtpClient, items: readonly Item[], first: Item): void {
    const now = this.#owner.clock.now();
    const { message } = first;
    const number = ++this.#number;
    const turn = this.#ready;
    this.#ready = 0;
    this.#idleSince = undefined;
    this.#transactions.push({
      number,
      items,
      hold: this.#owner.spool.hold(message.at),
      body: new OutgoingBody(message.traits.dots, message.traits.lone),
      startedAt: now,
      bytes: 0,
      turn: 0,
    });
    this.tried += items.length;
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
    this.#take(machine);
  }

  #quit(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#quitSaid) return;
    this.#quitSaid = true;
    this.#leaving = true;
    machine.say(this.#ready, { kind: 'quit' }, this.#owner.clock.now());
    this.#ready = 0;
    this.#idleSince = undefined;
    this.#take(machine);
  }

  /** Sends a body slice by slice, as fast as the peer takes it. */
  #pump(): void {
    const machine = this.#machine;
    const of = this.#sending;
    if (machine === undefined || of === undefined || this.#reading) return;
    let gathered = 0;
    while (!this.#blocked) {
      let slice: ReturnType<BodyHold['next']>;
      try {
        slice = of.hold.next(SLICE);
      } catch {
        this.#broken(machine, of);
        return;
      }
      if (slice === undefined) {
        this.#sending = undefined;
        for (const view of of.body.end()) this.#out.push(view);
        of.hold[Symbol.dispose]();
        machine.say(of.turn, { kind: 'sent' }, this.#owner.clock.now());
        return;
      }
      if (slice instanceof Promise) {
        this.#reading = true;
        this.#flush();
        slice.then(
          (read) => {
            this.#reading = false;
            if (this.#done) return;
            this.#push(of, read);
            this.#flush();
            this.#pump();
            this.#run();
          },
          () => {
            this.#reading = false;
            if (!this.#done) this.#broken(machine, of);
          },
        );
        return;
      }
      gathered += this.#push(of, slice);
      if (gathered >= SLICE) {
        this.#flush();
        gathered = 0;
      }
    }
  }

  #push(of: Transaction, slice: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const view of of.body.pass(slice)) {
      this.#out.push(view);
      bytes += view.length;
    }
    of.bytes += bytes;
    return bytes;
  }

  /** A body that the disk does not give back must not reach the peer as if it were whole. */
  #broken(machine: SmtpClient, of: Transaction): void {
    this.#sending = undefined;
    this.#out = [];
    machine.say(of.turn, { kind: 'broken', reply: UNREADABLE }, this.#owner.clock.now());
    this.#run();
  }

  #settled(number: number, results: readonly RecipientResult[]): void {
    const of = this.#remove(number);
    if (of === undefined) return;
    const { clock } = this.#owner;
    const { state } = this.settings;
    let delivered = false;
    for (const result of results) {
      if (result.kind !== 'delivered') continue;
      delivered = true;
      this.deliveries++;
    }
    if (delivered) state.deliveryMillis = decayed(state.deliveryMillis, clock.now() - of.startedAt);
    this.#owner.settle(of.items, (index) => {
      const result = results[index];
      if (result === undefined) throw new RangeError('a transaction was settled without a result for each recipient');
      return { kind: result.kind, reply: result.reply, attempt: this.#attempt(result.stage, of.bytes) };
    });
    this.#rest();
  }

  #attempt(stage: number, bytes: number): Attempt {
    const { id, address } = this.settings;
    return { stage, connectionId: id, address: address.ip, host: address.host, bytes };
  }

  #remove(number: number): Transaction | undefined {
    const at = this.#transactions.findIndex((each) => each.number === number);
    const of = at === -1 ? undefined : this.#transactions.splice(at, 1)[0];
    if (of !== undefined) {
      of.hold[Symbol.dispose]();
      if (this.#sending === of) this.#sending = undefined;
    }
    return of;
  }

  #take(machine: SmtpClient): void {
    for (const bytes of machine.take()) this.#out.push(bytes);
  }

  #flush(): void {
    if (this.#machine !== undefined) this.#take(this.#machine);
    if (this.#out.length === 0 || this.#pipe === undefined) return;
    const out = this.#out;
    this.#out = [];
    if (!this.#pipe.write(out)) this.#blocked = true;
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
      if (now >= this.openedAt + this.settings.timeouts.connect) {
        this.#pipe?.destroy();
        this.#finish(() => this.#owner.unreachable(this, TIMED_OUT, stages.notConnected));
      } else this.#arm(millis(this.openedAt + this.settings.timeouts.connect));
      return;
    }
    if (this.#idleSince !== undefined && now >= this.#idleSince + this.settings.timeouts.idle) this.#quit();
    machine.expire(now);
    this.#run();
  }

  #finish(before?: () => void): void {
    if (this.#done) return;
    this.#flush();
    this.#done = true;
    this.#timer?.[Symbol.dispose]();
    this.#pipe?.end();
    before?.();
    for (const of of this.#transactions.splice(0)) {
      of.hold[Symbol.dispose]();
      this.#owner.settle(of.items, () => ({ kind: 'returned', gate: OPEN, until: this.#owner.clock.now() }));
    }
    this.#owner.closed(this);
  }
}
