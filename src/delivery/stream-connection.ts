import { bytesIn, type Millis, millis, type Segments } from '../base/index.ts';
import { capabilities, type EcstreamClient, type EcstreamClientEvent } from '../ecstream/index.ts';
import type { Item, Outcome } from '../queue/index.ts';
import { type Reply, reply, stages, tlsReplies } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Clock, NetworkError, Pipe, TlsFacts } from '../world/index.ts';
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
import { StreamBody, type StreamBodyHost } from './stream-body.ts';
import { complainOnce } from './stream-complaint.ts';
import {
  type Flight,
  flightEnvelope,
  flightKey,
  mostInFrame,
  outcomesOf,
  streamExtensions,
  streamReplies,
} from './stream-flight.ts';
import { loginTrouble, streamMachine } from './stream-login.ts';
import { StreamPatience } from './stream-patience.ts';

/**
 * Joins the ECStream client machine to a pipe and to a queue (`delivery_method = "ECSTREAM"`): as many messages under way
 * as the peer's window takes. Each carries a key made of its recipients' ids, so that a peer that had it already when the
 * connection was lost does not take it again.
 */
export class StreamConnection implements OpenConnection, PreparationHost, StreamBodyHost {
  readonly settings: ConnectionSettings;
  readonly openedAt: Millis;
  readonly #owner: ConnectionOwner<OpenConnection>;
  readonly #outlet = new Outlet();
  readonly #tls: ConnectionTls;
  readonly #settlement: Settlement;
  readonly #patience: StreamPatience;
  readonly #preparation = new Preparation(this);
  readonly #body = new StreamBody(this);
  readonly #deadline: Deadline;
  readonly #flights = new Map<number, Flight>();
  /** Prepared, and the window has no room for it yet. */
  #held: Flight | undefined;
  #machine: EcstreamClient | undefined;
  /** The handshake is under way. */
  #shaking = false;
  #heardAt: Millis;
  /** Bytes of bodies that are in the outlet. */
  #gathered = 0;
  #leaving = false;
  #done = false;
  #why: Reply = HUNG_UP;
  stood = false;
  undecided = 0;
  deliveries = 0;
  recipients = 0;

  constructor(owner: ConnectionOwner<OpenConnection>, settings: ConnectionSettings) {
    this.#owner = owner;
    this.settings = settings;
    this.#tls = new ConnectionTls(settings);
    this.openedAt = owner.clock.now();
    this.#heardAt = this.openedAt;
    this.#settlement = new Settlement(owner, settings, this.#tls);
    this.#patience = new StreamPatience(settings.timeouts, this.openedAt);
    this.#deadline = new Deadline(owner.clock, () => this.#expire());
  }

  start(pipe: Pipe): void {
    this.#outlet.pipe = pipe;
    this.#watch();
  }

  get clock(): Clock {
    return this.#owner.clock;
  }

  get spool(): Spool {
    return this.#owner.spool;
  }

  get blocked(): boolean {
    return this.#outlet.blocked || this.#done;
  }

  get state(): string {
    if (this.#done) return 'closing';
    if (this.#shaking) return 'handshaking TLS';
    if (!this.stood) return this.#machine === undefined ? 'connecting' : 'reading WELCOME';
    if (this.#patience.idle) return 'idle';
    return this.#body.flight === undefined ? 'reading confirmation' : 'sending BODY';
  }

  get since(): Millis {
    return this.#heardAt;
  }

  get mostRecipients(): number {
    const welcome = this.#machine?.welcome;
    return welcome === undefined ? 0 : mostInFrame(welcome);
  }

  wake(): void {
    if (this.stood) this.#run();
  }

  leave(): void {
    this.#leaving = true;
    if (this.stood) this.#run();
    else this.abort();
  }

  abort(): void {
    this.#outlet.pipe?.destroy();
  }

  opened(): void {
    if (this.#done) return;
    const now = this.clock.now();
    const { state } = this.settings;
    state.connectMillis = decayed(state.connectMillis, now - this.openedAt);
    if (this.#tls.wanted.use === 'no') return this.#greet(now);
    this.#shaking = true;
    if (!this.#tls.shake(this.#outlet)) this.#insecure(tlsReplies.failed);
  }

  secured(facts: TlsFacts): void {
    if (this.#done) return;
    this.#heardAt = this.clock.now();
    const why = this.#tls.judge(facts);
    if (why !== undefined) return this.#insecure(why);
    this.#shaking = false;
    this.#greet(this.#heardAt);
  }

  data(chunk: Uint8Array): void {
    this.#heardAt = this.clock.now();
    const machine = this.#machine;
    if (machine === undefined || this.#done) return;
    machine.receive(chunk);
    for (let event = machine.next(); event !== undefined && !this.#done; event = machine.next()) this.#hear(event);
    this.#run();
  }

  drained(): void {
    this.#outlet.drained();
    this.#body.pump();
    this.#run();
  }

  closed(why?: NetworkError): void {
    if (this.#shaking && !this.#done) this.#noTls();
    if (!this.stood) {
      this.#finish(() => {
        if (why !== undefined && LOCAL_TROUBLES.has(why.code)) this.#owner.troubled(why);
        else this.#unreachable();
      });
    }
    this.#finish();
    this.#owner.closed(this);
  }

  #greet(now: Millis): void {
    this.#machine = streamMachine(this.settings, this.#tls.encrypted, this.#patience.standDue, now);
    this.#run();
  }

  /** The handshake has failed: where clear text will do it is tried next, over another connection (docs/tls.md). */
  #noTls(): void {
    const { use, fallback } = this.#tls.wanted;
    if (use !== 'ifavailable' || !fallback) return this.#insecure(tlsReplies.failed);
    this.#finish(() => this.#owner.plainNext(this));
    this.abort();
  }

  /** Not with this peer, and never in clear. */
  #insecure(why: Reply, stage: number = stages.handshake): void {
    this.#finish(() => this.#owner.insecure(this, stage, why));
    this.abort();
  }

  #run(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#done) return;
    if (this.#leaving) this.#dropHeld();
    else if (this.stood) this.#offer();
    if (this.#done) return;
    if (this.#leaving && this.stood && this.#flights.size === 0) {
      machine.bye();
      this.#finish();
      return;
    }
    this.#patience.window(this.stood && this.#flights.size === 0 && !machine.mayBegin(0), this.clock.now());
    this.flush();
    this.#watch();
  }

  #hear(event: EcstreamClientEvent): void {
    switch (event.kind) {
      case 'ready':
      case 'window':
        return this.#stand();
      case 'recipient':
        this.#patience.answered(this.#heardAt);
        return void this.#flights.get(event.seq)?.refused.set(event.index, event.reply);
      case 'accepted':
        return this.#accepted(event.seq, event.id);
      case 'refused':
        return this.#settle(this.#take(event.seq), () => event.reply);
      case 'bye':
        return this.#bye(event);
      case 'no login':
        return this.#insecure(loginTrouble(event, this.#owner, this.settings), stages.after.auth);
      case 'broken':
        this.#why = reply(451, '4.4.2', `[internal] ${event.text}`);
        this.#end();
    }
  }

  /** A peer whose window is shut from the beginning takes no mail: only when it opens does the session stand. */
  #stand(): void {
    if (this.stood || this.#machine?.mayBegin(0) !== true) return;
    this.stood = true;
    this.#tls.stands(this.#outlet.pipe);
    this.#owner.established(this);
  }

  #accepted(seq: number, id: string | undefined): void {
    const flight = this.#take(seq);
    if (flight === undefined) return;
    const said = reply(250, '2.0.0', id === undefined || id === '' ? 'OK' : `OK ${id}`);
    const { state } = this.settings;
    state.deliveryMillis = decayed(state.deliveryMillis, this.clock.now() - flight.startedAt);
    this.#settle(flight, (index) => flight.refused.get(index) ?? said);
  }

  /** What the peer has not taken goes over another connection, and is charged nothing. */
  #bye({ seq, code, text }: Extract<EcstreamClientEvent, { kind: 'bye' }>): void {
    this.#leaving = true;
    if (!this.stood || code >= 500) {
      this.#why = reply(451, '4.4.2', `[internal] ${code} ${text}`);
      return this.#end();
    }
    for (const [number, flight] of [...this.#flights]) {
      if (number <= seq) continue;
      this.#flights.delete(number);
      this.#drop(flight);
    }
    this.#dropHeld();
  }

  /** Takes work as long as the window and the pipe have room. */
  #offer(): void {
    const machine = this.#machine;
    if (machine === undefined || this.#preparation.busy) return;
    while (this.#body.flight === undefined && !this.blocked && machine.mayBegin(0)) {
      if (this.#held === undefined && !this.#prepareNext(machine)) break;
      const flight = this.#held;
      if (flight === undefined || !machine.mayBegin(flight.hold.length + ENVELOPE)) return;
      this.#held = undefined;
      this.#body.begin(flight);
    }
    if (this.#body.flight !== undefined || this.#leaving || !machine.mayBegin(0)) return;
    if (this.#flights.size === 0) this.#patience.rests(this.clock.now());
    this.#owner.idle(this);
  }

  /** @returns false when there is nothing to send; else there is something held, or the disk is asked for it */
  #prepareNext(machine: EcstreamClient): boolean {
    const extensions = streamExtensions(machine.welcome?.maxMessage ?? 0);
    for (;;) {
      const items = this.#leaving ? [] : this.#owner.work(this);
      if (items.length === 0 || this.#done) return false;
      this.#patience.works();
      if (this.#preparation.prepare(items, extensions)) return true;
    }
  }

  begin({ asked: { items }, made: { hold } }: Prepared): void {
    this.undecided += items.length;
    this.recipients += items.length;
    const startedAt = this.clock.now();
    this.#held = { items, hold, startedAt, refused: new Map(), seq: 0, bytes: 0, sentAt: undefined };
  }

  judged(items: readonly Item[], said: Reply): void {
    this.#settlement.judged(items, said);
  }

  givenBack(items: readonly Item[]): void {
    this.#settlement.givenBack(items);
  }

  unreadable(items: readonly Item[], cause: unknown): void {
    this.#settlement.unreadable(items, cause);
  }

  nothing(): void {}

  moved(): void {
    this.#run();
  }

  pass(flight: Flight, slice: Segments): void {
    const machine = this.#machine as EcstreamClient;
    const bytes = bytesIn(slice);
    flight.bytes += bytes;
    const end = slice.length === 0 || flight.bytes >= flight.hold.length;
    if (flight.seq === 0) {
      flight.seq = machine.begin(flightEnvelope(flight, this.#key(flight)), slice, end);
      this.#flights.set(flight.seq, flight);
    } else machine.more(slice, end);
    this.#outlet.addAll(machine.take());
    // Small messages go out together.
    this.#gathered += bytes;
    if (this.#gathered >= MOST_GATHERED) this.flush();
    if (!end) return;
    flight.sentAt = this.clock.now();
    this.#body.stop(flight);
    flight.hold[Symbol.dispose]();
  }

  #key(flight: Flight): string | undefined {
    return this.#machine?.has(capabilities.dedup) === true ? flightKey(flight, this.settings.ehloName) : undefined;
  }

  /** What is on the wire of it must not become a message: the connection goes. */
  broken(flight: Flight, cause: unknown): void {
    if (flight.seq !== 0) this.#flights.delete(flight.seq);
    this.#release(flight);
    this.unreadable(flight.items, cause);
    this.#settlement.judged(flight.items, UNREADABLE, flight.bytes);
    if (flight.seq === 0) return;
    this.#end();
    this.abort();
  }

  #take(seq: number): Flight | undefined {
    this.#patience.answered(this.#heardAt);
    const flight = this.#flights.get(seq);
    if (flight === undefined) return undefined;
    // It may be refused before all of it is sent; what the machine has begun, it must end.
    if (this.#body.flight === flight) this.#machine?.more([], true);
    this.#flights.delete(seq);
    this.#release(flight);
    return flight;
  }

  #release(flight: Flight): void {
    this.#body.stop(flight);
    this.undecided -= flight.items.length;
    flight.hold[Symbol.dispose]();
  }

  #settle(flight: Flight | undefined, said: (index: number) => Reply): void {
    if (flight === undefined) return;
    const outcomes = outcomesOf(flight, said, (stage) => this.#settlement.attempt(stage, flight.bytes));
    for (const { kind } of outcomes) if (kind === 'delivered') this.deliveries += 1;
    this.#owner.settle(flight.items, (index) => outcomes[index] as Outcome);
  }

  #dropHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#drop(held);
  }

  /** The peer has not taken it: another connection does. */
  #drop(flight: Flight): void {
    this.#release(flight);
    this.givenBack(flight.items);
  }

  flush(): void {
    this.#gathered = 0;
    if (this.#machine !== undefined) this.#outlet.addAll(this.#machine.take());
    this.#outlet.flush();
  }

  /** The peer must have done what is awaited of it. */
  get #answerDue(): number {
    return this.#patience.answerDue(this.#flights.values().next().value?.sentAt, this.#body.stuckSince);
  }

  #watch(): void {
    const { standDue, leaveDue } = this.#patience;
    this.#deadline.arm(millis(this.stood ? Math.min(this.#answerDue, leaveDue) : standDue));
  }

  #expire(): void {
    if (this.#done) return;
    const now = this.clock.now();
    if (!this.stood) {
      if (now < this.#patience.standDue) return this.#watch();
      if (this.#shaking) return this.#noTls();
      this.#end();
      return this.abort();
    }
    if (now >= this.#answerDue) {
      this.#why = streamReplies.noResponse;
      this.#end();
      return this.abort();
    }
    if (now >= this.#patience.leaveDue) this.#leaving = true;
    this.#run();
  }

  #end(): void {
    this.#finish(this.stood ? undefined : () => this.#unreachable());
  }

  #unreachable(): void {
    if (this.#why !== HUNG_UP) complainOnce(this.#owner, this.settings, this.#why);
    this.#owner.unreachable(this, this.#machine === undefined ? stages.notConnected : stages.during.banner);
  }

  /** Settles everything; the pipe closes once its last words have gone out, and then the owner hears of it. */
  #finish(before?: () => void): void {
    if (this.#done) return;
    this.flush();
    this.#done = true;
    this.#deadline.stop();
    this.#outlet.pipe?.end();
    before?.();
    // As for SMTP: a peer that hangs up before it is told of anything would be called again and again.
    this.#preparation.cancel(this.stood && this.#machine?.begun === 0 && !this.#leaving ? this.#why : undefined);
    this.#dropHeld();
    const sending = this.#body.flight;
    if (sending?.seq === 0) this.#drop(sending);
    for (const flight of [...this.#flights.values()]) {
      this.#flights.delete(flight.seq);
      this.#release(flight);
      const stage = flight.sentAt === undefined ? stages.sendingBody : stages.confirmation;
      const attempt = this.#settlement.attempt(stage, flight.bytes);
      this.#owner.settle(flight.items, () => ({ kind: 'deferred', reply: this.#why, attempt }));
    }
  }
}

/** What a message has on the wire besides its body, roughly. */
const ENVELOPE = 512;
/** Bytes of bodies that go out in one write. */
const MOST_GATHERED = 65_536;
