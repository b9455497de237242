import { bytesIn, type Millis, millis, type Segments } from '../base/index.ts';
import { capabilities, EcstreamClient, type EcstreamClientEvent } from '../ecstream/index.ts';
import type { Attempt, Item, Outcome } from '../queue/index.ts';
import { gate } from '../shaping/index.ts';
import { type Reply, reply, stages } from '../smtp/index.ts';
import type { NetworkError, Pipe } from '../world/index.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decayed } from './host-state.ts';
import { LOCAL_TROUBLES } from './local-troubles.ts';
import type { OpenConnection } from './open-connection.ts';
import { Outlet } from './outlet.ts';
import { type Flight, flightEnvelope, flightKey, outcomesOf, streamReplies } from './stream-flight.ts';

const OPEN = gate('open');
/** Of a body, in one write. */
const SLICE = 65_536;

/**
 * Joins the ECStream client machine to a pipe and to a queue (`delivery_method = "ECSTREAM"`): as many messages under way
 * as the peer's window takes. Each carries a key made of its recipients' ids, so that a peer that had it already when the
 * connection was lost does not take it again.
 */
export class StreamConnection implements OpenConnection {
  readonly settings: ConnectionSettings;
  readonly openedAt: Millis;
  readonly #owner: ConnectionOwner<OpenConnection>;
  readonly #outlet = new Outlet();
  readonly #flights = new Map<number, Flight>();
  /** Its body is being sent: nothing else may begin. */
  #sending: Flight | undefined;
  /** It is asked of the disk. */
  #reading = false;
  /** Taken from the queue, and the window has no room for it yet. */
  #held: Flight | undefined;
  #machine: EcstreamClient | undefined;
  #heardAt: Millis;
  #timer: Disposable | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #idleSince: Millis | undefined;
  #stood = false;
  #leaving = false;
  #done = false;
  #why: Reply = streamReplies.lost;
  undecided = 0;
  deliveries = 0;
  recipients = 0;

  constructor(owner: ConnectionOwner<OpenConnection>, settings: ConnectionSettings) {
    this.#owner = owner;
    this.settings = settings;
    this.openedAt = owner.clock.now();
    this.#heardAt = this.openedAt;
  }

  start(pipe: Pipe): void {
    this.#outlet.pipe = pipe;
    this.#arm(millis(this.openedAt + this.settings.timeouts.connect));
  }

  get state(): string {
    if (this.#done) return 'closing';
    if (!this.#stood) return this.#machine === undefined ? 'connecting' : 'reading WELCOME';
    if (this.#idleSince !== undefined) return 'idle';
    return this.#sending === undefined ? 'reading confirmation' : 'sending BODY';
  }

  get since(): Millis {
    return this.#heardAt;
  }

  get stood(): boolean {
    return this.#stood;
  }

  get mostRecipients(): number {
    return this.#machine?.welcome?.maxRecipients ?? 0;
  }

  wake(): void {
    if (this.#done || !this.#stood) return;
    this.#offer();
    this.#run();
  }

  leave(): void {
    this.#leaving = true;
    if (this.#stood) this.#run();
    else this.abort();
  }

  abort(): void {
    this.#outlet.pipe?.destroy();
  }

  opened(): void {
    if (this.#done) return;
    const now = this.#owner.clock.now();
    const { state, timeouts, ehloName } = this.settings;
    state.connectMillis = decayed(state.connectMillis, now - this.openedAt);
    this.#machine = new EcstreamClient(
      {
        name: 'impetus',
        hostName: ehloName,
        capabilities: capabilities.ids | capabilities.dedup,
        encoding: 'latin1',
        greeting: Math.max(1, timeouts.connect - (now - this.openedAt)),
      },
      now,
    );
    this.#run();
  }

  data(chunk: Uint8Array): void {
    this.#heardAt = this.#owner.clock.now();
    const machine = this.#machine;
    if (machine === undefined || this.#done) return;
    machine.receive(chunk);
    for (let event = machine.next(); event !== undefined && !this.#done; event = machine.next()) this.#hear(event);
    this.#run();
  }

  drained(): void {
    this.#outlet.drained();
    this.#pump();
    this.#run();
  }

  closed(why?: NetworkError): void {
    if (!this.#stood) {
      this.#finish(() => {
        if (why !== undefined && LOCAL_TROUBLES.has(why.code)) this.#owner.troubled(why);
        else this.#unreachable();
      });
    }
    this.#finish();
    this.#owner.closed(this);
  }

  #run(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#done) return;
    if (this.#stood && !this.#leaving) this.#offer();
    if (this.#leaving && this.#stood && this.#flights.size === 0 && this.#held === undefined) {
      machine.bye();
      this.#finish();
      return;
    }
    this.#flush();
    this.#watch();
  }

  #hear(event: EcstreamClientEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#stood = true;
        this.#owner.established(this);
        return;
      case 'window':
        return;
      case 'recipient':
        return void this.#flights.get(event.seq)?.refused.set(event.index, event.reply);
      case 'accepted':
        return this.#accepted(event.seq, event.id);
      case 'refused':
        return this.#settle(this.#take(event.seq), () => event.reply);
      case 'bye':
        return this.#bye(event);
      case 'broken':
        this.#why = reply(451, '4.4.2', `[internal] ${event.text}`);
        this.#end();
    }
  }

  #accepted(seq: number, id: string | undefined): void {
    const flight = this.#take(seq);
    if (flight === undefined) return;
    const said = reply(250, '2.0.0', id === undefined || id === '' ? 'OK' : `OK ${id}`);
    const { state } = this.settings;
    state.deliveryMillis = decayed(state.deliveryMillis, this.#owner.clock.now() - flight.startedAt);
    this.#settle(flight, (index) => flight.refused.get(index) ?? said);
  }

  /** What the peer has not taken goes over another connection, and is charged nothing. */
  #bye({ seq, code, text }: Extract<EcstreamClientEvent, { kind: 'bye' }>): void {
    this.#leaving = true;
    if (!this.#stood || code >= 500) {
      this.#why = reply(451, '4.4.2', `[internal] ${code} ${text}`);
      return this.#end();
    }
    for (const [number, flight] of [...this.#flights]) {
      if (number <= seq) continue;
      this.#flights.delete(number);
      this.#release(flight);
      this.#owner.settle(flight.items, () => this.#uncharged());
    }
    this.#dropHeld();
  }

  /** Takes work as long as the window and the pipe have room. */
  #offer(): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    while (this.#sending === undefined && !this.#outlet.blocked && machine.mayBegin(0)) {
      const flight = this.#held ?? (this.#leaving ? undefined : this.#next(machine));
      this.#held = undefined;
      if (flight === undefined) break;
      if (!machine.mayBegin(flight.hold.length + ENVELOPE)) {
        this.#held = flight;
        return;
      }
      this.#sending = flight;
      this.#pump();
    }
    if (this.#sending !== undefined || this.#leaving || !machine.mayBegin(0)) return;
    if (this.#flights.size === 0) this.#idleSince ??= this.#owner.clock.now();
    this.#owner.idle(this);
  }

  /** @returns undefined when there is nothing to send now */
  #next(machine: EcstreamClient): Flight | undefined {
    for (;;) {
      const items = this.#owner.work(this);
      const first = items[0];
      if (first === undefined || this.#done) return undefined;
      const { maxMessage = 0 } = machine.welcome ?? {};
      if (maxMessage > 0 && first.message.envelope.size > maxMessage) {
        const attempt = this.#attempt(stages.during.mail, 0);
        this.#owner.settle(items, () => ({ kind: 'failed', reply: streamReplies.tooBig, attempt }));
        continue;
      }
      const flight = this.#flightOf(items, first);
      if (flight !== undefined) return flight;
    }
  }

  #flightOf(items: readonly Item[], first: Item): Flight | undefined {
    try {
      const hold = this.#owner.spool.hold(first.message.at);
      this.undecided += items.length;
      this.recipients += items.length;
      this.#idleSince = undefined;
      const startedAt = this.#owner.clock.now();
      return { items, hold, startedAt, refused: new Map(), seq: 0, bytes: 0, sentAt: undefined };
    } catch (cause) {
      this.#unreadable(items, cause, 0);
      return undefined;
    }
  }

  /** Sends the body that is under way, as fast as the peer takes it and the disk gives it. */
  #pump(): void {
    while (this.#sending !== undefined && !this.#reading && !this.#outlet.blocked && !this.#done) {
      const flight = this.#sending;
      let slice: Segments | Promise<Segments> | undefined;
      try {
        slice = flight.hold.next(SLICE);
      } catch (cause) {
        return this.#broken(flight, cause);
      }
      if (slice instanceof Promise) return this.#await(flight, slice);
      this.#send(flight, slice ?? []);
    }
  }

  #await(flight: Flight, slice: Promise<Segments>): void {
    this.#reading = true;
    this.#flush();
    slice.then(
      (read) => {
        this.#reading = false;
        if (this.#sending !== flight || this.#done) return;
        this.#send(flight, read);
        this.#pump();
        this.#run();
      },
      (cause: unknown) => {
        this.#reading = false;
        if (this.#sending === flight && !this.#done) this.#broken(flight, cause);
      },
    );
  }

  #send(flight: Flight, slice: Segments): void {
    const machine = this.#machine as EcstreamClient;
    flight.bytes += bytesIn(slice);
    const end = slice.length === 0 || flight.bytes >= flight.hold.length;
    if (flight.seq === 0) {
      flight.seq = machine.begin(flightEnvelope(flight, this.#key(flight)), slice, end);
      this.#flights.set(flight.seq, flight);
    } else machine.more(slice, end);
    this.#outlet.addAll(machine.take());
    if (flight.bytes % SLICE < bytesIn(slice)) this.#outlet.flush();
    if (!end) return;
    flight.sentAt = this.#owner.clock.now();
    this.#sending = undefined;
    flight.hold[Symbol.dispose]();
  }

  #key(flight: Flight): string | undefined {
    return this.#machine?.has(capabilities.dedup) === true ? flightKey(flight, this.settings.ehloName) : undefined;
  }

  /** The disk does not give the body back. What is on the wire of it must not become a message: the connection goes. */
  #broken(flight: Flight, cause: unknown): void {
    this.#sending = undefined;
    if (flight.seq !== 0) this.#flights.delete(flight.seq);
    this.#release(flight);
    this.#unreadable(flight.items, cause, flight.bytes);
    if (flight.seq === 0) return this.#run();
    this.#end();
    this.abort();
  }

  #unreadable(items: readonly Item[], cause: unknown, bytes: number): void {
    const batchId = items[0]?.message.envelope.batchId ?? '';
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#owner.report(`batch ${batchId}: its body cannot be read and is tried again later: ${why}`);
    const attempt = this.#attempt(stages.sendingBody, bytes);
    this.#owner.settle(items, () => ({ kind: 'deferred', reply: streamReplies.unreadable, attempt }));
  }

  #take(seq: number): Flight | undefined {
    const flight = this.#flights.get(seq);
    if (flight === undefined) return undefined;
    // It may be refused before all of it is sent; what the machine has begun, it must end.
    if (this.#sending === flight) {
      this.#machine?.more([], true);
      this.#sending = undefined;
    }
    this.#flights.delete(seq);
    this.#release(flight);
    return flight;
  }

  #release(flight: Flight): void {
    if (this.#sending === flight) this.#sending = undefined;
    this.undecided -= flight.items.length;
    flight.hold[Symbol.dispose]();
  }

  #settle(flight: Flight | undefined, said: (index: number) => Reply): void {
    if (flight === undefined) return;
    const outcomes = outcomesOf(flight, said, (stage) => this.#attempt(stage, flight.bytes));
    for (const { kind } of outcomes) if (kind === 'delivered') this.deliveries += 1;
    this.#owner.settle(flight.items, (index) => outcomes[index] as Outcome);
  }

  #attempt(stage: number, bytes: number): Attempt {
    const { id, address, view } = this.settings;
    return { stage, connectionId: id, address: address.ip, host: address.host, bytes, generation: view.generation };
  }

  #uncharged(): Outcome {
    return { kind: 'returned', gate: OPEN, until: this.#owner.clock.now() };
  }

  #dropHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.#release(held);
    this.#owner.settle(held.items, () => this.#uncharged());
  }

  #flush(): void {
    if (this.#machine !== undefined) this.#outlet.addAll(this.#machine.take());
    this.#outlet.flush();
  }

  /** The oldest answer that is due, and the idle time. */
  #watch(): void {
    const { timeouts } = this.settings;
    let due = this.#idleSince === undefined ? Number.POSITIVE_INFINITY : this.#idleSince + timeouts.idle;
    const sent = this.#oldest?.sentAt;
    if (sent !== undefined) due = Math.min(due, Math.max(sent, this.#heardAt) + timeouts.response);
    if (!this.#stood) due = this.openedAt + timeouts.connect;
    this.#arm(millis(due));
  }

  get #oldest(): Flight | undefined {
    return this.#flights.values().next().value;
  }

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
    const { timeouts } = this.settings;
    if (!this.#stood) {
      if (now >= this.openedAt + timeouts.connect) {
        this.#end();
        return this.abort();
      }
      return this.#watch();
    }
    const sent = this.#oldest?.sentAt;
    if (sent !== undefined && now >= Math.max(sent, this.#heardAt) + timeouts.response) {
      this.#why = streamReplies.noResponse;
      this.#end();
      return this.abort();
    }
    if (this.#idleSince !== undefined && now >= this.#idleSince + timeouts.idle) this.#leaving = true;
    this.#run();
  }

  #end(): void {
    this.#finish(this.#stood ? undefined : () => this.#unreachable());
  }

  #unreachable(): void {
    this.#owner.unreachable(this, this.#machine === undefined ? stages.notConnected : stages.during.banner);
  }

  /** Settles everything; the pipe closes once its last words have gone out, and then the owner hears of it. */
  #finish(before?: () => void): void {
    if (this.#done) return;
    this.#flush();
    this.#done = true;
    this.#timer?.[Symbol.dispose]();
    this.#outlet.pipe?.end();
    before?.();
    this.#dropHeld();
    const sending = this.#sending;
    if (sending !== undefined && sending.seq === 0) {
      this.#release(sending);
      this.#owner.settle(sending.items, () => this.#uncharged());
    }
    for (const flight of [...this.#flights.values()]) {
      this.#flights.delete(flight.seq);
      this.#release(flight);
      const attempt = this.#attempt(
        flight.sentAt === undefined ? stages.sendingBody : stages.confirmation,
        flight.bytes,
      );
      this.#owner.settle(flight.items, () => ({ kind: 'deferred', reply: this.#why, attempt }));
    }
  }
}

const ENVELOPE = 512; // what a message has on the wire besides its body, roughly
