import { type Millis, millis } from '../../base/index.ts';
import type { Generation } from '../../config/index.ts';
import { capabilities, EcstreamServer, type EcstreamServerEvent } from '../../ecstream/index.ts';
import type { Verdict } from '../../policy/index.ts';
import type { Reply, ServerState } from '../../smtp/index.ts';
import type { Pipe, PipeHost } from '../../world/index.ts';
import type { Client } from '../client.ts';
import type { Desk } from '../desk.ts';
import { tarpitEnd } from '../judgement.ts';
import { nameOf } from '../login/logins.ts';
import { ecstreamMaxBatchSize, maxReceptionsPerConnection, reconfigDisconnect, reconfigMessage } from '../options.ts';
import { Pauses, reasons } from '../pauses.ts';
import { CORE, recordRejection } from '../rejection.ts';
import { replies } from '../replies.ts';
import type { Settings } from '../settings.ts';
import { StreamIntake } from './intake.ts';
import { streamLogin } from './login.ts';
import { streamSettings } from './settings.ts';

/** Bytes that may wait in the machine while we think; more, and the pipe is paused. */
const MOST_BUFFERED = 262_144;
/** Milliseconds that one connection may have the loop for itself. */
const MOST_TURN = 10;
/** How often it is asked whether a client that was told to stop may go on. */
const LOOK_AGAIN = 250;

/** Joins one ECStream machine to one pipe, and the intake to both. */
export class StreamSession implements PipeHost {
  readonly client: Client;
  since: Millis;
  settings: Settings;
  readonly spoolDrained: () => void;
  readonly #desk: Desk;
  readonly #pipe: Pipe;
  readonly #machine: EcstreamServer;
  readonly #intake: StreamIntake;
  readonly #viewIn: (generation: Generation) => Settings;
  readonly #over: (session: StreamSession) => void;
  #generation: Generation;
  #capabilities = 0;
  #timer: Disposable | undefined;
  #due = 0;
  readonly #pauses: Pauses;
  #pumping = false;
  #acknowledging = false;
  #stopped: Disposable | undefined;
  #sinceStop = 0;
  #admitting = false;
  #ending = false;
  gone = false;

  /** @param over called once, when the pipe has closed */
  constructor(
    desk: Desk,
    pipe: Pipe,
    client: Client,
    generation: Generation,
    viewIn: (generation: Generation) => Settings,
    over: (session: StreamSession) => void,
  ) {
    this.#desk = desk;
    this.#pipe = pipe;
    this.#pauses = new Pauses(pipe);
    this.client = client;
    this.#generation = generation;
    this.#viewIn = viewIn;
    this.#over = over;
    const { clock } = desk.parts;
    this.since = clock.now();
    this.settings = viewIn(generation);
    const server = streamSettings(this.settings, client);
    this.#machine = new EcstreamServer(server, this.since);
    this.#intake = new StreamIntake(desk, client, this);
    this.#intake.mostRecipients = server.maxRecipients;
    this.spoolDrained = () => {
      this.#intake.behind = false;
      this.#machine.excuse(clock.now());
      this.#pauses.remove(reasons.spoolBehind);
      this.proceed();
    };
  }

  get generation(): Generation {
    return this.#generation;
  }

  get dedup(): boolean {
    return (this.#capabilities & capabilities.dedup) !== 0;
  }

  /** In SMTP's words, which consoles know. */
  get state(): ServerState {
    if (this.floating) return 'validating';
    const { state } = this.#machine;
    if (state === 'body') return 'body';
    if (state === 'over') return 'over';
    return state === 'ready' ? 'ready' : state === 'preface' ? 'connect' : 'start';
  }

  get floating(): boolean {
    return this.#intake.waiting || this.#machine.asks || this.#machine.outstanding > 0;
  }

  movedBy(next: Generation): boolean {
    if (next.number === this.#generation.number) return false;
    const { view } = this.settings;
    return view.get(reconfigDisconnect) === 'always' || !view.sameIn(next);
  }

  data(chunk: Uint8Array): void {
    this.#machine.receive(chunk);
    this.proceed();
  }

  drained(): void {
    this.#pauses.remove(reasons.clientBehind);
  }

  ended(): void {
    // What it has sent is judged and kept, and it may still read what became of it.
    this.#ending = true;
    this.proceed();
  }

  closed(): void {
    this.gone = true;
    this.#timer?.[Symbol.dispose]();
    this.#stopped?.[Symbol.dispose]();
    this.#intake.cut();
    this.#over(this);
  }

  refuseRecipient(seq: number, index: number, said: Reply): void {
    this.#machine.refuseRecipient(seq, index, said);
  }

  accept(seq: number, id: string): void {
    this.#machine.accept(seq, id);
    this.#acknowledgeSoon();
  }

  refuse(seq: number, said: Reply): void {
    this.#machine.refuse(seq, said);
    if (said === replies.spoolFull) this.#stop();
    this.#acknowledgeSoon();
  }

  disconnect(): void {
    this.#machine.dismiss(421, '4.4.5 Service unavailable');
    this.#send();
  }

  proceed(first?: () => void): void {
    if (this.#pumping) return first?.();
    this.#pumping = true;
    try {
      first?.();
      if (!this.gone) this.#pump();
    } catch (error) {
      // A bug of ours costs this connection and no other.
      const why = error instanceof Error ? (error.stack ?? error.message).replace(/\s*\n\s*/g, ' | ') : String(error);
      this.#desk.sparing.tell(
        'stream failed',
        'CRITICAL',
        'ecstream',
        `a connection of ${this.client.remote.ip} failed: ${why}`,
      );
      this.#machine.dismiss(421, '4.3.0 Resource limitations, please try later');
      this.#send();
      // Nobody will say what becomes of the message that failed: the client brings it again.
      this.#pipe.end();
    } finally {
      this.#pumping = false;
    }
    // Whoever has ended, and of whom all has been looked at, will not finish what he began.
    if (this.#ending && !this.#waits && this.#machine.state === 'body') {
      this.#machine.ended();
      return this.proceed();
    }
    this.#send();
  }

  /** The server stops, or the configuration has moved. */
  leave(text = '4.3.2 Service not available, closing transmission channel'): void {
    this.#machine.dismiss(421, text);
    this.proceed();
  }

  /** The server has waited long enough. Who waits for our disk only is answered. */
  cut(): void {
    this.leave();
    if (this.#intake.waiting) this.#pipe.destroy();
  }

  /** The configuration is another one: on with it where it makes no difference, else goodbye (spec ecstream 4). */
  reconsider(next: Generation): void {
    if (next.number === this.#generation.number || this.#machine.state === 'over') return;
    if (this.movedBy(next)) return this.leave(this.settings.view.get(reconfigMessage));
    this.#generation = next;
    this.settings = this.#viewIn(next);
  }

  #pump(): void {
    const { clock } = this.#desk.parts;
    const began = clock.now();
    const most = this.settings.view.get(ecstreamMaxBatchSize);
    let messages = 0;
    let now = began;
    while (!this.#waits) {
      const event = this.#machine.next(now);
      if (event === undefined) break;
      this.#hear(event);
      if (event.kind !== 'message') continue;
      messages += 1;
      if (messages % 16 === 0) now = clock.now();
      if (messages < most && now - began < MOST_TURN) continue;
      // Others have their turn; what is here waits in the machine.
      this.#pauses.add(reasons.othersTurn);
      clock.defer(() => {
        this.#pauses.remove(reasons.othersTurn);
        this.proceed();
      });
      break;
    }
  }

  /** Frames that are here must wait for something of ours. */
  get #waits(): boolean {
    return this.#intake.waiting || this.#intake.behind || this.#admitting || this.#pauses.has(reasons.othersTurn);
  }

  #hear(event: EcstreamServerEvent): void {
    switch (event.kind) {
      case 'message':
        return this.#message(event);
      case 'body':
        return this.#intake.body(event.body, event.end, event.damaged);
      case 'hello':
        // Each message carries both: they are no longer than what EHLO could have said, and no line ends either.
        this.client.helo = nameOf(event.host);
        this.client.extended = true;
        this.client.connectionContext.ehlo_domain = this.client.helo;
        this.client.connectionContext.ecstream_client = nameOf(event.client);
        return this.#admit();
      case 'auth':
        return streamLogin(this.#desk, this.settings.view, this.client, event, (refusal) => {
          if (refusal === undefined) this.#machine.authenticated();
          else this.#machine.notAuthenticated(refusal);
          this.proceed();
        });
      case 'flush':
        // Everything that is here is on its way to the disk with the next sync already.
        return undefined;
      case 'cut':
        return this.#intake.cut();
      case 'broken': {
        const { ip } = this.client.remote;
        const text = `${ip} broke the protocol: ${event.code} ${event.text}`;
        this.#desk.sparing.tell('protocol broken', 'INFO', 'ecstream', text);
        return undefined;
      }
    }
  }

  #message(event: Extract<EcstreamServerEvent, { kind: 'message' }>): void {
    this.since = this.#desk.parts.clock.now();
    const { view } = this.settings;
    const { current } = this.#desk.parts.configuration;
    const most = view.get(maxReceptionsPerConnection);
    // It goes out again on the next connection: to refuse it would be to lose its place.
    if (this.movedBy(current)) return this.#machine.turnAway(421, view.get(reconfigMessage));
    if (most > 0 && event.seq > most) {
      const { enhanced = '', text } = replies.receptions;
      return this.#machine.turnAway(421, `${enhanced} ${text}`);
    }
    this.reconsider(current);
    if (!this.#machine.loggedIn) return this.#refuseAtOnce(event.seq, replies.authenticationRequired);
    if (this.#pressed && !this.#mayStillCome()) return this.#refuseAtOnce(event.seq, replies.spoolFull);
    this.#intake.begin(event);
  }

  #refuseAtOnce(seq: number, said: Reply): void {
    this.#rejected(said, 'awaiting mailfrom');
    this.#machine.refuse(seq, said);
    this.#acknowledgeSoon();
  }

  #rejected(said: Reply, phase: 'connect' | 'awaiting mailfrom', module = CORE): void {
    const { number: generation } = this.#generation;
    const connection = { ...this.client.connectionContext };
    const message = { ...this.client.messageContext };
    recordRejection(this.#desk, this.client, generation, { phase, reply: said, module, connection, message });
  }

  get #pressed(): boolean {
    return this.#desk.parts.pressure?.exceeded === true || this.#desk.parts.pressure?.full === true;
  }

  /** The client is told to stop; what it had sent by then is taken, a window's worth at most. */
  #mayStillCome(): boolean {
    this.#stop();
    this.#sinceStop += 1;
    return this.#sinceStop <= this.#machine.settings.windowMessages;
  }

  #stop(): void {
    if (this.#stopped !== undefined) return;
    this.#sinceStop = 0;
    this.#machine.window(0, 0);
    this.#lookAgain();
  }

  #lookAgain(): void {
    const { clock } = this.#desk.parts;
    this.#stopped = clock.at(millis(clock.now() + LOOK_AGAIN), () => {
      if (this.#pressed) return this.#lookAgain();
      this.#stopped = undefined;
      const { windowMessages, windowBytes } = this.#machine.settings;
      this.#machine.window(windowMessages, windowBytes);
      this.#send();
    });
  }

  /** After HELLO: policy may not want this client at all. */
  #admit(): void {
    const { policy } = this.#desk.parts;
    if (!policy.has('validate_connect')) return this.#welcome();
    const verdict = policy.run('validate_connect', this.client);
    if (!(verdict instanceof Promise)) return this.#admitted(verdict);
    this.#admitting = true;
    void verdict.then((late) => {
      this.#admitting = false;
      if (this.gone) return;
      this.#admitted(late);
      this.proceed();
    });
  }

  #admitted(verdict: Verdict): void {
    if (verdict.kind === 'tarpit') {
      const { clock } = this.#desk.parts;
      this.#admitting = true;
      clock.at(tarpitEnd(clock.now(), verdict.seconds), () => {
        this.#admitting = false;
        if (this.gone) return;
        this.#welcome();
        this.proceed();
      });
      return;
    }
    if (verdict.kind === 'disconnect') return this.#turnAway(replies.disconnect, CORE);
    if (verdict.kind === 'reject' || verdict.kind === 'soft')
      return this.#turnAway(verdict.reply, verdict.module ?? CORE);
    this.#intake.discarding = verdict.kind === 'discard';
    this.#welcome();
  }

  #turnAway(said: Reply, module: string): void {
    this.#rejected(said, 'connect', module);
    this.#machine.dismiss(said.code, `${said.enhanced ?? ''} ${said.text}`.trim());
  }

  #welcome(): void {
    const before = this.#machine.settings;
    // Policy may have given the right to relay, which makes up for a login.
    this.#machine.settings = { ...before, auth: before.auth && !this.client.mayRelay };
    this.#capabilities = this.#machine.agreed;
    if (!this.#pressed) return this.#machine.welcome();
    this.#machine.welcome(0, 0);
    this.#sinceStop = 0;
    this.#lookAgain();
  }

  /** What a turn has made durable is acknowledged when it ends: one ACK for one sync. */
  #acknowledgeSoon(): void {
    if (this.#acknowledging || this.gone) return;
    this.#acknowledging = true;
    this.#desk.parts.clock.defer(() => {
      this.#acknowledging = false;
      if (this.gone) return;
      this.#machine.acknowledge();
      // As long as it waited for us the client was not idle.
      this.#machine.excuse(this.#desk.parts.clock.now());
      // Results make room in the window: frames that waited for it are looked at now.
      this.proceed();
    });
  }

  #send(): void {
    if (this.gone) return;
    const bytes = this.#machine.take();
    if (bytes.length > 0 && !this.#pipe.write(bytes)) this.#pauses.add(reasons.clientBehind);
    if (this.#intake.behind) this.#pauses.add(reasons.spoolBehind);
    if (this.#machine.buffered > MOST_BUFFERED && (this.floating || this.#pauses.has(reasons.othersTurn)))
      this.#pauses.add(reasons.tooMuchSent);
    else this.#pauses.remove(reasons.tooMuchSent);
    const quiet = !this.floating && !this.#pauses.has(reasons.othersTurn);
    if (this.#machine.closed || (this.#ending && quiet)) this.#pipe.end();
    else this.#watch();
  }

  #watch(): void {
    const { deadline } = this.#machine;
    if (deadline === undefined || (this.#timer !== undefined && this.#due <= deadline)) return;
    this.#timer?.[Symbol.dispose]();
    this.#due = deadline;
    this.#timer = this.#desk.parts.clock.at(deadline, () => {
      this.#timer = undefined;
      if (this.#pauses.has(reasons.spoolBehind)) return;
      this.#machine.expire(this.#desk.parts.clock.now());
      this.proceed();
    });
  }
}
