import { type Endpoint, millis } from '../../base/index.ts';
import type { Clock, ConnectHost, Network, NetworkError, Pipe } from '../../world/index.ts';
import {
  FrameError,
  type FrameKind,
  FrameReader,
  frameKinds,
  type Hello,
  maxPayload,
  protocolVersion,
  readHello,
  textFrame,
} from '../frames.ts';

/** How a request ended. */
export type Answer =
  | { readonly kind: 'done'; readonly code: number }
  /** The connection is gone. */
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'timeout' };

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
  close(): void;
}

export type Connected = { readonly kind: 'connected'; readonly link: Link } | Exclude<Answer, { kind: 'done' }>;

export interface LinkParts {
  readonly network: Network;
  readonly clock: Clock;
  /** How long the server may say nothing while it is asked something. */
  readonly timeoutSeconds: number;
}

/** Opens a connection and waits for the server's hello. */
export async function connectConsole(parts: LinkParts, endpoint: Endpoint): Promise<Connected> {
  const link = new ConsoleLink(parts);
  link.pipe = parts.network.connect(endpoint, undefined, link);
  const greeting = await link.greeted();
  if (greeting.kind !== 'done') return greeting;
  return { kind: 'connected', link };
}

class ConsoleLink implements ConnectHost, Link {
  pipe: Pipe | undefined;
  hello: Hello = { protocol: 0, product: '', version: '', host: '' };
  readonly #parts: LinkParts;
  readonly #reader = new FrameReader();
  #waiting: { readonly sink: Sink; readonly settle: (answer: Answer) => void; readonly hello: boolean } | undefined;
  #timer: Disposable | undefined;
  /** The sink is behind: frames wait. */
  #holding = false;
  #closed = false;
  #why = '';

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get open(): boolean {
    return !this.#closed;
  }

  get why(): string {
    return this.#why;
  }

  greeted(): Promise<Answer> {
    return this.#wait(() => undefined, true);
  }

  ask(line: string, sink: Sink): Promise<Answer> {
    return this.#send(frameKinds.request, line, sink);
  }

  async complete(line: string): Promise<readonly string[]> {
    if (this.#closed || this.#waiting !== undefined) return [];
    const found: Uint8Array[] = [];
    const answer = await this.#send(frameKinds.complete, line, (bytes) => {
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

  #send(kind: FrameKind, line: string, sink: Sink): Promise<Answer> {
    if (this.#closed) return Promise.resolve({ kind: 'lost', why: this.#why });
    if (Buffer.byteLength(line) > maxPayload)
      return Promise.resolve({ kind: 'lost', why: `the command is longer than ${maxPayload} bytes` });
    const answer = this.#wait(sink, false);
    this.pipe?.write(textFrame(kind, line));
    return answer;
  }

  #wait(sink: Sink, hello: boolean): Promise<Answer> {
    return new Promise((settle) => {
      this.#waiting = { sink, settle, hello };
      this.#restartTimer();
    });
  }

  #settle(answer: Answer): void {
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
      this.#why = 'this is no Impetus console';
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
    this.#settle({ kind: 'lost', why: this.#why });
  }
}
