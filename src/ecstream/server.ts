import { type Millis, millis, type Segments } from '../base/index.ts';
import type { Reply } from '../smtp/index.ts';
import { BodyDecoder, TooMuchInflated } from './body-decoder.ts';
import { type Frame, FrameReader } from './frame-reader.ts';
import {
  ackFrame,
  byeFrame,
  capabilities,
  END,
  emptyFrame,
  PREFACE,
  pingFrame,
  replyFrame,
  types,
  VERSION,
  WHOLE,
  welcomeFrame,
  windowFrame,
} from './frames.ts';
import { Malformed, readAuth, readBye, readHello, readMessage, readPing } from './payloads.ts';
import type { EcstreamServerEvent, EcstreamServerSettings } from './server-events.ts';
import { Unresolved } from './unresolved.ts';

type State = 'preface' | 'hello' | 'greeting' | 'auth' | 'ready' | 'body' | 'over';

/** Milliseconds for preface and HELLO. */
const GREETING = 10_000;
/** Failed attempts to log in after which the client is sent away. */
const MOST_ATTEMPTS = 3;
/** What a client may send before it has seen the WELCOME. */
const EARLY = 262_144 + 4096;

/**
 * The server's side of EXS 1, without sockets, clocks and disks (spec ecstream 3 to 5): bytes in, events out, results
 * in, bytes out. Bodies are views of what was received.
 */
export class EcstreamServer {
  settings: EcstreamServerSettings;
  readonly #reader: FrameReader;
  readonly #unresolved = new Unresolved();
  #decoder = new BodyDecoder(false, false);
  #out: Uint8Array[] = [];
  #state: State = 'preface';
  #offered = 0;
  #agreed = 0;
  #seq = 0;
  #loggedIn = false;
  /** An AUTH waits for its answer. */
  #asked = false;
  /** Where the message that is being read goes back to. */
  #before: State = 'ready';
  #attempts = 0;
  #heardAt: Millis;
  readonly #began: Millis;
  /** Said, or still to be said when everything is resolved. */
  #farewell: { readonly code: number; readonly text: string } | undefined;
  #closed = false;
  /** An event that must be told before anything else. */
  #cut: number | undefined;

  constructor(settings: EcstreamServerSettings, now: Millis) {
    this.settings = settings;
    this.#reader = new FrameReader(EARLY);
    this.#began = now;
    this.#heardAt = now;
  }

  get state(): State {
    return this.#state;
  }

  /** Bytes that have come and were not looked at. */
  get buffered(): number {
    return this.#reader.buffered;
  }

  /** Messages that were handed out and not resolved. */
  get outstanding(): number {
    return this.#unresolved.count;
  }

  /** A HELLO or a login waits for its answer: nothing behind it is looked at. */
  get asks(): boolean {
    return this.#state === 'greeting' || this.#asked;
  }

  /** Everything was said: the pipe may be ended once it is sent. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The client may send, as far as a login is needed for it. */
  get loggedIn(): boolean {
    return this.#loggedIn;
  }

  receive(chunk: Uint8Array): void {
    if (this.#state !== 'over') this.#reader.receive(chunk);
  }

  next(now: Millis): EcstreamServerEvent | undefined {
    for (;;) {
      if (this.#cut !== undefined) {
        const seq = this.#cut;
        this.#cut = undefined;
        return { kind: 'cut', seq };
      }
      if (this.#state === 'over' || this.asks) return undefined;
      if (this.#state === 'preface') {
        if (!this.#preface()) return undefined;
        continue;
      }
      if (this.#state !== 'body' && this.#full) return undefined;
      const frame = this.#reader.next();
      if (frame === undefined) return undefined;
      this.#heardAt = now;
      const event = this.#hear(frame);
      if (event !== undefined) return event;
    }
  }

  /** What both sides have set, of `capabilities`; to be asked after `hello`. */
  get agreed(): number {
    return this.#offered & this.settings.capabilities;
  }

  /** The client may come in. */
  welcome(windowMessages = this.settings.windowMessages, windowBytes = this.settings.windowBytes): void {
    if (this.#state !== 'greeting') return;
    const { settings } = this;
    this.#agreed = this.agreed;
    this.#decoder = new BodyDecoder(this.#has(capabilities.crc), this.#has(capabilities.deflate));
    this.#reader.maxFrame = settings.maxFrame;
    this.#loggedIn = !settings.auth;
    this.#state = settings.auth ? 'auth' : 'ready';
    this.#out.push(
      welcomeFrame({
        version: VERSION,
        auth: settings.auth,
        maxRecipients: settings.maxRecipients,
        capabilities: settings.capabilities,
        maxFrame: settings.maxFrame,
        maxMessage: settings.maxMessage,
        windowMessages,
        windowBytes,
        ackMillis: ACK_MILLIS,
        host: settings.hostName,
      }),
    );
  }

  authenticated(): void {
    this.#asked = false;
    if (this.#state !== 'auth') return;
    this.#loggedIn = true;
    this.#state = 'ready';
    this.#out.push(emptyFrame(types.authOk, 0));
  }

  notAuthenticated(said: Reply): void {
    this.#asked = false;
    if (this.#state !== 'auth') return;
    this.#out.push(replyFrame(0, WHOLE, said));
    this.#attempts += 1;
    if (this.#attempts >= MOST_ATTEMPTS) this.#leave(said.code, said.text);
  }

  /** One recipient of a message is refused, the others are not: to be said before `accept`. */
  refuseRecipient(seq: number, index: number, said: Reply): void {
    this.#out.push(replyFrame(seq, index, said));
  }

  /** It is on stable storage. The ACK goes out with the next `acknowledge`. */
  accept(seq: number, id: string): void {
    this.#unresolved.resolve(seq, id);
    this.#depart();
  }

  /** Nothing of it was kept. */
  refuse(seq: number, said: Reply): void {
    this.#out.push(replyFrame(seq, WHOLE, said));
    this.#unresolved.resolve(seq, undefined);
    this.#depart();
  }

  /** One ACK for all that was resolved since the last one. To be called when a sync, or a turn, is over. */
  acknowledge(): void {
    const done = this.#unresolved.take();
    if (done === undefined) return;
    this.#out.push(ackFrame(done.seq, done.ids.length, this.#has(capabilities.ids) ? done.ids : []));
  }

  /** Another window; 0 and 0 asks the client to stop. What is in flight stays good. */
  window(messages: number, bytes: number): void {
    if (this.#state === 'ready' || this.#state === 'body' || this.#state === 'auth')
      this.#out.push(windowFrame(messages, bytes));
  }

  /**
   * The server ends the connection (reload, shutdown): it says so now, with the last message that it has taken, and
   * closes when that one is resolved.
   */
  dismiss(code: number, text: string): void {
    if (this.#state === 'over') return;
    if (this.#state !== 'preface') {
      this.#drop();
      this.#out.push(byeFrame(this.#seq, code, text));
    }
    this.#farewell = undefined;
    this.#end();
  }

  /**
   * The message that was handed out last is not taken, nor is anything behind it: the client shall bring them over
   * another connection.
   */
  turnAway(code: number, text: string): void {
    if (this.#state === 'over') return;
    this.#unresolved.withdraw();
    this.#seq -= 1;
    this.#state = 'ready';
    this.dismiss(code, text);
  }

  /** The client sends nothing more: what it has begun will not be finished. */
  ended(): void {
    if (this.#state === 'body') this.dismiss(421, '4.4.2 the message was not finished');
  }

  /** Bytes to send. */
  take(): Segments {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  get deadline(): Millis | undefined {
    if (this.#state === 'over') return undefined;
    if (this.#state === 'preface' || this.#state === 'hello') return millis(this.#began + GREETING);
    if (this.settings.idle === 0 || this.#working) return undefined;
    return millis(this.#heardAt + this.settings.idle);
  }

  expire(now: Millis): void {
    const { deadline } = this;
    if (deadline === undefined || now < deadline) return;
    if (this.#state === 'preface' || this.#state === 'hello') this.#close();
    else this.dismiss(421, '4.4.2 idle timeout');
  }

  /** The time that the client had to wait for us does not count. */
  excuse(now: Millis): void {
    this.#heardAt = now;
  }

  /** Something of ours is awaited: the client is not idle. */
  get #working(): boolean {
    return this.asks || this.#unresolved.count > (this.#state === 'body' ? 1 : 0);
  }

  get #full(): boolean {
    const { count, bytes } = this.#unresolved;
    return count >= this.settings.windowMessages || (count > 0 && bytes >= this.settings.windowBytes);
  }

  #has(capability: number): boolean {
    return (this.#agreed & capability) !== 0;
  }

  /** @returns whether to go on */
  #preface(): boolean {
    const first = this.#reader.peek(PREFACE.length);
    if (!first.equals(PREFACE.subarray(0, first.length))) {
      this.#close();
      return false;
    }
    if (first.length < PREFACE.length) return false;
    this.#reader.raw(PREFACE.length);
    this.#state = 'hello';
    return true;
  }

  #hear(frame: ReturnType<FrameReader['next']>): EcstreamServerEvent | undefined {
    if (frame === undefined) return undefined;
    if (frame.type === 'too long') return this.#fatal(552, `5.3.4 a frame of ${frame.length} bytes`);
    try {
      return this.#understand(frame);
    } catch (error) {
      if (error instanceof Malformed) return this.#fatal(501, `5.5.4 ${error.message}`);
      if (error instanceof TooMuchInflated) return this.#fatal(552, `5.3.4 ${error.message}`);
      throw error;
    }
  }

  #understand(frame: Frame): EcstreamServerEvent | undefined {
    const { type, payload } = frame;
    if (this.#state === 'hello') {
      if (type !== types.hello) return this.#fatal(503, '5.5.1 HELLO comes first');
      const hello = readHello(payload);
      if (hello.lowest > VERSION || hello.highest < VERSION)
        return this.#fatal(505, `5.5.4 this server speaks version ${VERSION}`);
      this.#offered = hello.capabilities;
      this.#state = 'greeting';
      return { kind: 'hello', client: hello.client, host: hello.host };
    }
    switch (type) {
      case types.message:
        return this.#message(frame);
      case types.body:
        return this.#body(frame);
      case types.flush:
        if (this.#state === 'body') return this.#fatal(503, '5.5.1 FLUSH within a message');
        return { kind: 'flush', seq: frame.seq };
      case types.ping:
        this.#out.push(pingFrame(types.pong, readPing(payload)));
        return undefined;
      case types.pong:
        return undefined;
      case types.auth: {
        if (this.#state !== 'auth') return this.#fatal(503, '5.5.1 AUTH is not wanted');
        const { mechanism, response } = readAuth(payload);
        this.#asked = true;
        return { kind: 'auth', mechanism, response };
      }
      case types.bye:
        readBye(payload);
        this.#drop();
        this.#leave(221, '2.0.0 closing connection');
        return undefined;
      default:
        // Room for what comes later.
        if (type >= 0x60 && type <= 0x7f) return undefined;
        return this.#fatal(503, `5.5.1 frame type ${type} here`);
    }
  }

  #message({ seq, flags, payload }: Frame): EcstreamServerEvent | undefined {
    if (this.#state === 'body') return this.#fatal(503, '5.5.1 MESSAGE within a message');
    if (seq !== this.#seq + 1) return this.#fatal(503, `5.5.1 message ${seq} behind ${this.#seq}`);
    const { envelope, body } = readMessage(payload);
    this.#decoder.begin();
    const part = this.#decoder.part(body, flags, this.settings.maxFrame);
    this.#seq = seq;
    this.#unresolved.begin(seq, payload.length);
    const end = (flags & END) !== 0;
    if (!end) {
      this.#before = this.#state;
      this.#state = 'body';
    }
    return { kind: 'message', seq, envelope, body: part, end, damaged: this.#decoder.damaged };
  }

  #body({ seq, flags, payload }: Frame): EcstreamServerEvent | undefined {
    if (this.#state !== 'body') return this.#fatal(503, '5.5.1 BODY without MESSAGE');
    if (seq !== this.#seq) return this.#fatal(503, `5.5.1 BODY of message ${seq} within ${this.#seq}`);
    const body = this.#decoder.part(payload, flags, this.settings.maxFrame);
    this.#unresolved.grow(payload.length);
    const end = (flags & END) !== 0;
    if (end) this.#state = this.#before;
    return { kind: 'body', seq, body, end, damaged: this.#decoder.damaged };
  }

  /** What was committed is acknowledged, then comes the BYE. */
  #fatal(code: number, text: string): EcstreamServerEvent {
    this.#drop();
    this.#leave(code, text);
    return { kind: 'broken', code, text };
  }

  /** A message of which only a part is here is not taken. */
  #drop(): void {
    if (this.#state !== 'body') return;
    this.#cut = this.#seq;
    this.#unresolved.withdraw();
    this.#seq -= 1;
  }

  /** Reads no more; says BYE when everything is resolved. */
  #leave(code: number, text: string): void {
    this.#farewell = { code, text };
    this.#end();
  }

  #end(): void {
    this.#state = 'over';
    this.#depart();
  }

  #depart(): void {
    if (this.#state !== 'over' || this.#unresolved.count > 0 || this.#closed) return;
    this.acknowledge();
    const { code, text } = this.#farewell ?? {};
    if (code !== undefined) this.#out.push(byeFrame(this.#seq, code, text ?? ''));
    this.#closed = true;
  }

  #close(): void {
    this.#state = 'over';
    this.#closed = true;
  }
}

/** An ACK is sent when the turn is over in which something became durable, so never later than this. */
const ACK_MILLIS = 5;
