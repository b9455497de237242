import { bytesIn, type Millis, millis, type Segments } from '../base/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import { type AddressEncoding, envelopeBytes, envelopeTrouble, type WireEnvelope } from './envelope.ts';
import { type Frame, FrameReader } from './frame-reader.ts';
import {
  authFrame,
  bodyFrame,
  byeFrame,
  capabilities,
  crcOf,
  emptyFrame,
  helloFrame,
  type Mechanism,
  messageFrame,
  PREFACE,
  pingFrame,
  types,
  VERSION,
  type Welcome,
  WHOLE,
} from './frames.ts';
import { Malformed, readAck, readBye, readPing, readReply, readWelcome, readWindow } from './payloads.ts';

export interface EcstreamClientSettings {
  /** Program and machine, for the server's trace fields and logs. */
  readonly name: string;
  readonly hostName: string;
  /** What we want, of `capabilities`. With `deflate` agreed upon, every body is deflated. */
  readonly capabilities: number;
  readonly encoding: AddressEncoding;
  /** Milliseconds for the WELCOME. */
  readonly greeting: number;
  /** For a server that wants a login, by one of `mechanisms`; or why there is none for it. */
  readonly login?: { readonly mechanism: Mechanism; readonly response: Uint8Array } | { readonly unusable: Reply };
}

export type EcstreamClientEvent =
  /** Messages may be sent, as the window allows. */
  | { readonly kind: 'ready'; readonly welcome: Welcome }
  /** The window is another one. */
  | { readonly kind: 'window' }
  /** One recipient of a message is refused. */
  | { readonly kind: 'recipient'; readonly seq: number; readonly index: number; readonly reply: Reply }
  /** The message is on stable storage, for all recipients that were not refused. */
  | { readonly kind: 'accepted'; readonly seq: number; readonly id: string | undefined }
  | { readonly kind: 'refused'; readonly seq: number; readonly reply: Reply }
  /** The server takes nothing that is newer than `seq`; what it has taken may still be resolved. */
  | { readonly kind: 'bye'; readonly seq: number; readonly code: number; readonly text: string }
  /** It wants a login: `us`, we have none for it; `peer`, it will not have ours. */
  | { readonly kind: 'no login'; readonly by: 'us' | 'peer'; readonly reply: Reply }
  /** It speaks another language, or says nothing. */
  | { readonly kind: 'broken'; readonly text: string };

interface Flight {
  readonly seq: number;
  bytes: number;
  resolved: boolean;
}

/** Longest frame that a server may send us, and that it takes where it has not said otherwise. */
export const MOST_FRAME = 1_048_576;
/** A server that takes less in a frame has no room for an envelope and something of a body. */
const LEAST_FRAME = 32_768;

/** The client's side of EXS 1, without sockets and clocks (spec ecstream 3 to 5). */
export class EcstreamClient {
  readonly #settings: EcstreamClientSettings;
  readonly #reader = new FrameReader(MOST_FRAME);
  readonly #greetBy: Millis;
  #out: Uint8Array[] = [];
  #state: 'wait' | 'auth' | 'ready' | 'bye' | 'over' = 'wait';
  #welcome: Welcome | undefined;
  #messages = 0;
  #bytes = 0;
  readonly #flights: Flight[] = [];
  #head = 0;
  #unresolved = 0;
  #unresolvedBytes = 0;
  #seq = 0;
  #open = false;
  #crc = 0;
  readonly #events: EcstreamClientEvent[] = [];

  constructor(settings: EcstreamClientSettings, now: Millis) {
    this.#settings = settings;
    this.#greetBy = millis(now + settings.greeting);
    const { name, hostName } = settings;
    this.#out.push(
      PREFACE,
      helloFrame({
        lowest: VERSION,
        highest: VERSION,
        capabilities: settings.capabilities,
        client: name,
        host: hostName,
      }),
    );
  }

  get state(): 'wait' | 'auth' | 'ready' | 'bye' | 'over' {
    return this.#state;
  }

  /** What the server said of itself, once it has. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** Messages so far. */
  get begun(): number {
    return this.#seq;
  }

  /** Messages without a result. */
  get unresolved(): number {
    return this.#unresolved;
  }

  has(capability: number): boolean {
    return ((this.#welcome?.capabilities ?? 0) & this.#settings.capabilities & capability) !== 0;
  }

  /** Whether a message of about so many bytes may go now. */
  mayBegin(bytes: number): boolean {
    if (this.#state !== 'ready' || this.#open || this.#unresolved >= this.#messages) return false;
    return this.#unresolved === 0 || this.#unresolvedBytes + bytes <= this.#bytes;
  }

  /** @returns why the server cannot be sent such an envelope; one that is made here is known to be good */
  troubleWith(envelope: WireEnvelope): string | undefined {
    return envelopeTrouble(envelope, this.#settings.encoding, this.#maxFrame);
  }

  /** @returns its number. More of the body follows with `more` until it has ended */
  begin(envelope: WireEnvelope, body: Segments, end: boolean): number {
    if (this.#state !== 'ready' || this.#open) throw new Error('a message may not begin now');
    this.#seq += 1;
    this.#crc = 0;
    this.#flights.push({ seq: this.#seq, bytes: 0, resolved: false });
    this.#unresolved += 1;
    const { encoding } = this.#settings;
    const room = this.#maxFrame - SLACK - envelopeBytes(envelope, encoding);
    if (bytesIn(body) <= Math.min(this.#part, room)) {
      this.#push(messageFrame(this.#seq, envelope, body, end, this.#coding(body, end), encoding));
    } else {
      this.#push(messageFrame(this.#seq, envelope, [], false, this.#coding([], false), encoding));
      this.#parts(body, end);
    }
    this.#open = !end;
    return this.#seq;
  }

  more(body: Segments, end: boolean): void {
    if (!this.#open) throw new Error('no message is open');
    this.#parts(body, end);
    this.#open = !end;
  }

  /** Asks for a commit of everything so far. */
  flush(): void {
    if (this.#state === 'ready' && !this.#open) this.#out.push(emptyFrame(types.flush, this.#seq));
  }

  ping(opaque: Uint8Array): void {
    if (this.#state === 'ready') this.#out.push(pingFrame(types.ping, opaque));
  }

  /** Sends nothing more; the server resolves what it has and says goodbye. */
  bye(): void {
    if (this.#state === 'bye' || this.#state === 'over') return;
    this.#out.push(byeFrame(0, 221, '2.0.0 closing connection'));
    this.#state = 'bye';
  }

  receive(chunk: Uint8Array): void {
    if (this.#state !== 'over') this.#reader.receive(chunk);
  }

  next(): EcstreamClientEvent | undefined {
    for (;;) {
      const ready = this.#events.shift();
      if (ready !== undefined) return ready;
      if (this.#state === 'over') return undefined;
      const frame = this.#reader.next();
      if (frame === undefined) return undefined;
      if (frame.type === 'too long') this.#broken(`a frame of ${frame.length} bytes`);
      else this.#hear(frame);
    }
  }

  take(): Segments {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  get deadline(): Millis | undefined {
    return this.#state === 'wait' || this.#state === 'auth' ? this.#greetBy : undefined;
  }

  expire(now: Millis): void {
    if (this.deadline !== undefined && now >= this.deadline) this.#broken('no WELCOME came');
  }

  /** A body part that surely fits a frame, deflated or not. */
  get #part(): number {
    return Math.min(BODY_PART, this.#maxFrame - SLACK);
  }

  get #maxFrame(): number {
    return this.#welcome?.maxFrame ?? MOST_FRAME;
  }

  #push(views: Segments): void {
    const bytes = bytesIn(views);
    this.#unresolvedBytes += bytes;
    const flight = this.#flights.at(-1);
    if (flight !== undefined) {
      flight.bytes += bytes;
      // A server may refuse a message before it has all of it.
      if (flight.resolved) this.#unresolvedBytes -= bytes;
    }
    for (const view of views) this.#out.push(view);
  }

  #parts(body: Segments, end: boolean): void {
    const most = this.#part;
    let gathered: Uint8Array[] = [];
    let length = 0;
    const send = (last: boolean): void => {
      this.#push(bodyFrame(this.#seq, gathered, last, this.#coding(gathered, last)));
      gathered = [];
      length = 0;
    };
    for (const view of body) {
      for (let at = 0; at < view.length; ) {
        if (length === most) send(false);
        const count = Math.min(most - length, view.length - at);
        gathered.push(view.subarray(at, at + count));
        length += count;
        at += count;
      }
    }
    if (length > 0 || end) send(end);
  }

  #coding(body: Segments, end: boolean): { readonly deflate: boolean; readonly crc: number | undefined } {
    const deflate = this.has(capabilities.deflate);
    if (!this.has(capabilities.crc)) return deflate ? DEFLATE : PLAIN;
    this.#crc = crcOf(body, this.#crc);
    return { deflate, crc: end ? this.#crc : undefined };
  }

  #hear(frame: Frame): void {
    try {
      this.#understand(frame);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#broken(error.message);
    }
  }

  #understand({ type, seq, payload }: Frame): void {
    switch (type) {
      case types.welcome:
        return this.#welcomed(readWelcome(payload));
      case types.authOk:
        if (this.#state !== 'auth' || this.#welcome === undefined) return this.#broken('AUTH_OK without AUTH');
        this.#state = 'ready';
        this.#events.push({ kind: 'ready', welcome: this.#welcome });
        return undefined;
      case types.ack:
        return this.#acknowledged(seq, payload);
      case types.reply: {
        const { index, reply } = readReply(payload);
        if (seq === 0 && this.#state === 'auth') return this.#noLogin('peer', reply);
        if (seq === 0) return this.#broken(`${reply.code} ${reply.text}`);
        if (index !== WHOLE) {
          this.#events.push({ kind: 'recipient', seq, index, reply });
          return undefined;
        }
        const flight = this.#flight(seq);
        if (flight === undefined || flight.resolved) return this.#broken(`a reply to message ${seq}`);
        this.#resolve(flight);
        this.#events.push({ kind: 'refused', seq, reply });
        return undefined;
      }
      case types.window: {
        const { messages, bytes } = readWindow(payload);
        this.#messages = messages;
        this.#bytes = bytes;
        this.#events.push({ kind: 'window' });
        return undefined;
      }
      case types.ping:
        this.#out.push(pingFrame(types.pong, readPing(payload)));
        return undefined;
      case types.pong:
        return undefined;
      case types.bye: {
        const { code, text } = readBye(payload);
        this.#state = 'bye';
        this.#events.push({ kind: 'bye', seq, code, text });
        return undefined;
      }
      default:
        if (type >= 0x60 && type <= 0x7f) return undefined;
        return this.#broken(`frame type ${type}`);
    }
  }

  #welcomed(welcome: Welcome): void {
    if (this.#state === 'bye') return;
    if (this.#state !== 'wait' || welcome.version !== VERSION) return this.#broken('a WELCOME that was not asked for');
    if (welcome.maxFrame < LEAST_FRAME) return this.#broken(`frames of ${welcome.maxFrame} bytes are too short`);
    this.#welcome = welcome;
    this.#messages = welcome.windowMessages;
    this.#bytes = welcome.windowBytes;
    if (!welcome.auth) {
      this.#state = 'ready';
      this.#events.push({ kind: 'ready', welcome });
      return;
    }
    const { login } = this.#settings;
    if (login === undefined) return this.#noLogin('us', WANTED);
    if ('unusable' in login) return this.#noLogin('us', login.unusable);
    if (login.response.length > MOST_LOGIN) return this.#noLogin('us', TOO_LONG);
    this.#state = 'auth';
    this.#out.push(authFrame(login.mechanism, login.response));
  }

  #acknowledged(seq: number, payload: Buffer): void {
    const { ids } = readAck(payload, this.has(capabilities.ids));
    if (seq > this.#seq || (seq === this.#seq && this.#open && this.#flight(seq)?.resolved !== true))
      return this.#broken(`an acknowledgement of message ${seq}, which was not sent`);
    let id = 0;
    for (
      let flight = this.#flights[this.#head];
      flight !== undefined && flight.seq <= seq;
      flight = this.#flights[++this.#head]
    ) {
      if (flight.resolved) continue;
      this.#resolve(flight);
      this.#events.push({ kind: 'accepted', seq: flight.seq, id: ids[id] });
      id += 1;
    }
    if (this.#head > 1024) {
      this.#flights.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #flight(seq: number): Flight | undefined {
    const first = this.#flights[this.#head];
    return first === undefined ? undefined : this.#flights[this.#head + seq - first.seq];
  }

  #resolve(flight: Flight): void {
    flight.resolved = true;
    this.#unresolved -= 1;
    this.#unresolvedBytes -= flight.bytes;
  }

  #noLogin(by: 'us' | 'peer', why: Reply): void {
    this.#state = 'over';
    this.#events.push({ kind: 'no login', by, reply: why });
  }

  #broken(text: string): void {
    this.#state = 'over';
    this.#events.push({ kind: 'broken', text });
  }
}

/** Bytes of an AUTH frame's response. */
const MOST_LOGIN = 0xffff;
const WANTED = reply(530, '5.7.0', 'the server wants a login');
const TOO_LONG = reply(500, '5.5.6', 'the login is longer than a frame can say');
/** Of a body, in one frame. */
const BODY_PART = 262_144;
/** What a part may grow by: the sum of the body, and what deflating makes of bytes that cannot be deflated. */
const SLACK = 1024;
const DEFLATE = { deflate: true, crc: undefined };
const PLAIN = { deflate: false, crc: undefined };
