import { millis } from '../../base/index.ts';
import type { Clock, ConnectHost, NetworkError, Pipe } from '../../world/index.ts';
import {
  FrameError,
  type FrameKind,
  FrameReader,
  frame,
  frameKinds,
  type Hello,
  maxPayload,
  protocolVersion,
  readHello,
} from '../frames.ts';

/** How a request ended. */
export type Answer =
  | { readonly kind: 'done'; readonly code: number }
  /** The connection is gone. */
  | { readonly kind: 'lost'; readonly why: string /** As a login that has failed. */; readonly denied?: true }
  | { readonly kind: 'timeout' };

/** What the server says to a step of a login. */
export type Reply =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | { readonly kind: 'granted'; readonly bytes: Uint8Array }
  | { readonly kind: 'denied'; readonly bytes: Uint8Array }
  | Exclude<Answer, { kind: 'done' }>;

/** Takes output; a promise makes the server wait. */
export type Sink = (bytes: Uint8Array) => Promise<void> | undefined;

export interface Link {
  readonly hello: Hello;
  readonly open: boolean;
  /** What the server said when it closed, or what went wrong; empty while it is open. */
  readonly why: string;
  /** One at a time. */
  ask(line: string, sink: Sink): Promise<Answer>;
  complete(line: string): Promise<readonly string[]>;
  /** A step of a login. One at a time. */
  show(kind: 'login' | 'respond' | 'proved', bytes: Uint8Array): Promise<Reply>;
  close(): void;
}

export type Connected = { readonly kind: 'connected'; readonly link: Link } | Exclude<Answer, { kind: 'done' }>;

export interface LinkParts {
  readonly clock: Clock;
  /** How long the server may say nothing while it is asked something. */
  readonly timeoutSeconds: number;
}

/** Opens a connection and waits for the server's hello. */
export async function connectConsole(parts: LinkParts, open: (host: ConnectHost) => Pipe): Promise<Connected> {
  const link = new ConsoleLink(parts);
  link.pipe = open(link);
  const greeting = await link.greeted();
  if (greeting.kind !== 'done') return greeting;
  return { kind: 'connected', link };
}

class ConsoleLink implements ConnectHost, Link {
  pipe: Pipe | undefined;
  hello: Hello = { protocol: 0, product: '', version: '', host: '' };
  readonly #parts: LinkParts;
  readonly #reader = new FrameReader();
  #waiting:
    | { readonly sink: Sink; readonly settle: (answer: Answer | Reply) => void; readonly hello: boolean }
    | undefined;
  #timer: Disposable | undefined;
  /** The sink is behind: frames wait. */
  #holding = false;
  #closed = false;
  #why = '';
  #denied = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get open(): boolean {
    return !this.#closed;
  }

  get why(): string {
    return this.#why;
  }

  async greeted(): Promise<Answer> {
    return asAnswer(await this.#wait(() => undefined, true));
  }

  async ask(line: string, sink: Sink): Promise<Answer> {
    return asAnswer(await this.#send(frameKinds.request, Buffer.from(line, 'utf8'), sink));
  }

  async show(kind: 'login' | 'respond' | 'proved', bytes: Uint8Array): Promise<Reply> {
    const reply = await this.#send(frameKinds[kind], bytes, () => undefined);
    return reply.kind === 'done' ? { kind: 'lost', why: NOT_OURS } : reply;
  }

  async complete(line: string): Promise<readonly string[]> {
    if (this.#closed || this.#waiting !== undefined) return [];
    const found: Uint8Array[] = [];
    const answer = await this.#send(frameKinds.complete, Buffer.from(line, 'utf8'), (bytes) => {
      found.push(bytes);
      return undefined;
    });
    if (answer.kind !== 'done') return [];
    return Buffer.concat(found)
      .toString('utf8')
      .split('\n')
      .filter((each) => each !== '');
  }

  close(): void {
    this.pipe?.end();
  }

  opened(): void {}

  data(chunk: Uint8Array): void {
    this.#reader.receive(chunk);
    this.#restartTimer();
    this.#read();
  }

  drained(): void {}

  closed(why?: NetworkError): void {
    if (this.#why === '') this.#why = why === undefined ? 'the server closed the connection' : why.message;
    this.#closed = true;
    if (!this.#holding) this.#lost();
  }

  #send(kind: FrameKind, payload: Uint8Array, sink: Sink): Promise<Answer | Reply> {
    if (this.#closed) return Promise.resolve({ kind: 'lost', why: this.#why });
    if (payload.length > maxPayload)
      return Promise.resolve({ kind: 'lost', why: `the command is longer than ${maxPayload} bytes` });
    const answer = this.#wait(sink, false);
    this.pipe?.write(frame(kind, payload));
    return answer;
  }

  #wait(sink: Sink, hello: boolean): Promise<Answer | Reply> {
    return new Promise((settle) => {
      this.#waiting = { sink, settle, hello };
      this.#restartTimer();
    });
  }

  #settle(answer: Answer | Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    waiting?.settle(answer);
  }

  #restartTimer(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#waiting === undefined || this.#holding) return;
    const { clock, timeoutSeconds } = this.#parts;
    this.#timer = clock.at(millis(clock.now() + timeoutSeconds * 1000), () => {
      this.#why = `no answer for ${timeoutSeconds} seconds`;
      this.#settle({ kind: 'timeout' });
      this.pipe?.destroy();
    });
  }

  #read(): void {
    try {
      while (!this.#holding) {
        const next = this.#reader.next();
        if (next === undefined) break;
        this.#take(next.kind, next.payload);
      }
    } catch (trouble) {
      if (!(trouble instanceof FrameError)) throw trouble;
      this.#why = NOT_OURS;
      this.pipe?.destroy();
      return;
    }
    if (this.#closed && !this.#holding) this.#lost();
  }

  #take(kind: number, payload: Buffer): void {
    switch (kind) {
      case frameKinds.hello: {
        const hello = readHello(payload);
        if (hello === undefined || hello.protocol !== protocolVersion) throw new FrameError('not our hello');
        this.hello = hello;
        if (this.#waiting?.hello === true) this.#settle({ kind: 'done', code: 0 });
        break;
      }
      case frameKinds.output:
        this.#give(payload);
        break;
      case frameKinds.end:
        this.#settle({ kind: 'done', code: payload[0] ?? 1 });
        break;
      case frameKinds.challenge:
        this.#settle({ kind: 'challenge', bytes: payload });
        break;
      case frameKinds.granted:
        this.#settle({ kind: 'granted', bytes: payload });
        break;
      case frameKinds.denied:
        // Before a hello it says why there will be none.
        this.#denied = this.#waiting?.hello === true;
        if (!this.#denied) this.#settle({ kind: 'denied', bytes: payload });
        break;
      case frameKinds.bye:
        this.#why = payload.toString('utf8');
        break;
      default:
        throw new FrameError(`frame kind ${kind} is not known`);
    }
  }

  #give(payload: Uint8Array): void {
    if (payload.length === 0 || this.#waiting === undefined || this.#waiting.hello) return;
    const wait = this.#waiting.sink(payload);
    if (wait === undefined) return;
    this.#holding = true;
    this.pipe?.pause();
    const goOn = (): void => {
      this.#holding = false;
      if (!this.#closed) this.pipe?.resume();
      this.#restartTimer();
      this.#read();
    };
    // A screen that cannot be written to any more takes nothing, and the command is read to its end.
    wait.then(goOn, goOn);
  }

  #lost(): void {
    this.#settle({ kind: 'lost', why: this.#why, ...(this.#denied ? { denied: true } : {}) });
  }
}

const NOT_OURS = 'this is no Impetus console';

/** What belongs to a login is out of place behind a command. */
const asAnswer = (said: Answer | Reply): Answer =>
  said.kind === 'challenge' || said.kind === 'granted' || said.kind === 'denied'
    ? { kind: 'lost', why: NOT_OURS }
    : said;
