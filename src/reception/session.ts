import type { Millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { reply, type ServerState, type ServerWord, type SmtpServer, smtpServer } from '../smtp/index.ts';
import {
  type NetworkError,
  type Pipe,
  type PipeHost,
  type TlsContext,
  TlsError,
  type TlsFacts,
} from '../world/index.ts';
import type { Client } from './client.ts';
import { Conversation } from './conversation.ts';
import type { Desk } from './desk.ts';
import type { Identity } from './identity.ts';
import { Pauses, reasons } from './pauses.ts';
import { peerText } from './rejection.ts';
import type { Settings } from './settings.ts';
import type { Speaker } from './speaker.ts';

/** Bytes that may wait in the machine while we think; more, and the pipe is paused. */
const MOST_BUFFERED = 65_536;

/** Joins one SMTP machine to one pipe, and the conversation to both. */
export class Session implements PipeHost, Speaker {
  readonly client: Client;
  /** When the present state began, on the clock's scale. */
  since: Millis;
  readonly resume: () => void;
  readonly #desk: Desk;
  readonly #pipe: Pipe;
  readonly #machine: SmtpServer;
  readonly #conversation: Conversation;
  readonly #over: (session: Session) => void;
  readonly #onTime: () => void;
  #timer: Disposable | undefined = undefined;
  #due = 0;
  readonly #pauses: Pauses;
  #pumping = false;
  #leaving = false;
  /** A handshake that was announced, and has not begun. */
  #tlsNext: TlsContext | undefined = undefined;
  #peerEnded = false;
  #closed = false;

  /** @param over  called once, when the pipe has closed */
  constructor(desk: Desk, pipe: Pipe, identity: Identity, generation: Generation, over: (session: Session) => void) {
    this.#desk = desk;
    this.#pipe = pipe;
    this.#pauses = new Pauses(pipe);
    this.client = identity.client;
    this.#over = over;
    this.since = desk.parts.clock.now();
    this.resume = () => {
      if (this.#closed) return;
      this.#machine.excuse(this.#desk.parts.clock.now());
      this.#pauses.remove(reasons.spoolBehind);
      this.#watch();
    };
    this.#onTime = () => {
      this.#timer = undefined;
      // Who waits for our disk is not idle; `resume` gives it its time again.
      if (this.#pauses.has(reasons.spoolBehind)) return;
      this.#machine.expire(this.#desk.parts.clock.now());
      this.pump();
    };
    this.#conversation = new Conversation(desk, identity, generation, this);
    this.#machine = smtpServer(this.#conversation.settings.server);
  }

  get state(): ServerState {
    return this.#machine.state;
  }

  /** Whether it would be closed at its next MAIL FROM or RSET if that generation were live. */
  movedBy(next: Generation): boolean {
    return this.#conversation.movedBy(next);
  }

  /** It waits for something of ours: policy, the spool. */
  get floating(): boolean {
    return this.#machine.waits === 'word';
  }

  data(chunk: Uint8Array): void {
    this.#machine.receive(chunk, this.#desk.parts.clock.now());
    this.#conversation.greeting?.talked();
    this.pump();
  }

  startTls(turn: number, word: ServerWord, context: TlsContext): void {
    this.#tlsNext = context;
    this.say(turn, word);
  }

  /** After STARTTLS. */
  secured(facts: TlsFacts): void {
    this.encrypted(facts);
    this.pump();
  }

  /** TLS is on; to be called before the first `pump` where it came before the first byte. */
  encrypted(facts: TlsFacts): void {
    this.#conversation.secured(facts);
    this.since = this.#desk.parts.clock.now();
    this.#machine.secured(this.since);
  }

  drained(): void {
    this.#pauses.remove(reasons.clientBehind);
  }

  /** A client that has closed its half, as `nc -N` does after QUIT, still gets its last replies. */
  ended(): void {
    this.#peerEnded = true;
    this.pump();
  }

  closed(why?: NetworkError): void {
    this.#closed = true;
    if (why instanceof TlsError) this.#failed(why.message);
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#conversation.leave();
    this.#over(this);
  }

  say(turn: number, word: ServerWord): void {
    if (this.#closed) return;
    const now = this.#desk.parts.clock.now();
    this.#machine.say(turn, word, now);
    this.since = now;
    this.pump();
  }

  awaits(turn: number): boolean {
    return !this.#closed && this.#machine.awaits(turn);
  }

  pause(): void {
    this.#pauses.add(reasons.spoolBehind);
  }

  /** The client has sent what nobody has read yet. */
  get early(): boolean {
    return this.#machine.buffered > 0;
  }

  preface(lines: readonly string[]): void {
    this.#machine.preface(lines);
    this.pump();
  }

  adopt(settings: Settings): void {
    this.#machine.settings = settings.server;
  }

  /** The server stops: now if no transaction is open, else when it has ended. */
  leave(): void {
    this.#leaving = true;
    if (this.#machine.state === 'connect') this.#dismiss();
    this.pump();
  }

  /** The server has waited long enough. Who only waits for our disk to keep a message is answered: that does not take for ever. */
  cut(): void {
    this.#leaving = true;
    if (this.#conversation.transaction?.committed === true) return;
    this.#dismiss();
    this.pump();
  }

  #dismiss(): void {
    const { hostName } = this.#machine.settings;
    this.#machine.dismiss(reply(421, '4.3.2', `${hostName} Service not available, closing transmission channel`));
  }

  /** Brings everything forward as far as it goes without more bytes or words. */
  pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    let gone = false;
    try {
      for (;;) {
        const event = this.#machine.next();
        if (event === undefined) {
          if (!this.#leaving || this.#conversation.transaction !== undefined || this.#machine.waits === 'word') break;
          if (gone || this.#machine.state === 'over') break;
          this.#dismiss();
        } else if (event.kind === 'gone') {
          gone = true;
          if (event.why === 'handshake timeout') this.#failed(event.why);
        } else {
          this.#conversation.hear(event);
        }
      }
    } catch (error) {
      // A bug of ours costs this session and no other.
      this.#desk.sparing.tell(
        'session failed',
        'CRITICAL',
        'reception',
        `a session of ${this.client.remote.ip} failed and was closed: ${stackOf(error)}`,
      );
      this.#machine.dismiss(reply(421, '4.3.0', 'Resource limitations, please try later'));
      gone = true;
    } finally {
      this.#pumping = false;
    }
    this.#send();
    if (this.#tlsNext !== undefined && this.#machine.state === 'tls') {
      this.#pipe.secure({ as: 'server', context: this.#tlsNext });
      this.#tlsNext = undefined;
    }
    if (gone || (this.#peerEnded && this.#machine.waits === 'bytes')) this.#pipe.end();
    else this.#watch();
  }

  #failed(why: string): void {
    this.#desk.parts.tls?.failed(peerText(this.client.peer), why);
  }

  #send(): void {
    const bytes = this.#machine.take();
    if (bytes.length > 0 && !this.#pipe.write(bytes)) this.#pauses.add(reasons.clientBehind);
    if (this.#machine.waits === 'word' && this.#machine.buffered > MOST_BUFFERED) this.#pauses.add(reasons.tooMuchSent);
    else this.#pauses.remove(reasons.tooMuchSent);
  }

  /** One timer a session: it is left as it is while the deadline moves away from it, and set again when it is early. */
  #watch(): void {
    const { deadline } = this.#machine;
    if (deadline === undefined || (this.#timer !== undefined && this.#due <= deadline)) return;
    this.#timer?.[Symbol.dispose]();
    this.#due = deadline;
    this.#timer = this.#desk.parts.clock.at(deadline, this.#onTime);
  }
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).replace(/\s*\n\s*/g, ' | ') : String(error);
