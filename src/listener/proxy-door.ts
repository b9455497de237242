import { inMillis, millis, type Seconds, type Segments } from '../base/index.ts';
import type { Clock, NetworkError, PeerAddress, Pipe, PipeHost, Securing } from '../world/index.ts';
import { PassingHost } from './passing-host.ts';
import { type ProxyEnd, ProxyHeader } from './proxy-header.ts';

export interface ProxyDoorParts {
  readonly pipe: Pipe;
  readonly clock: Clock;
  /** For the whole header; 0 for ever. */
  readonly seconds: Seconds;
  /** No header, a bad one, or none in time: the connection is closed without a word. Not called for a client that goes. */
  readonly failed: (why: string) => void;
  /**
   * Who speaks with the client, whom `pipe.remote` names now. What came behind the header is given to it as its first
   * data, in the same turn.
   */
  readonly begin: (pipe: Pipe) => PipeHost;
  /** The connection has closed before that. */
  readonly ended: () => void;
  /** It is in there while it waits. */
  readonly waiting: Set<ProxyDoor>;
}

/** Where clients of a listener with Proxy_Protocol wait until their proxy has said who they are; then it only passes on. */
export class ProxyDoor extends PassingHost {
  readonly #parts: ProxyDoorParts;
  readonly #header = new ProxyHeader();
  #timer: Disposable | undefined;
  #closing = false;

  constructor(parts: ProxyDoorParts) {
    super(parts.pipe);
    this.#parts = parts;
    const { clock, seconds, waiting } = parts;
    waiting.add(this);
    if (seconds > 0)
      this.#timer = clock.at(millis(clock.now() + inMillis(seconds)), () => this.#fail('no PROXY header in time'));
  }

  override data(chunk: Uint8Array): void {
    if (this.passing) return super.data(chunk);
    if (this.#closing) return;
    const outcome = this.#header.read(chunk);
    if (outcome.kind === 'more') return;
    if (outcome.kind === 'bad') return this.#fail(outcome.why);
    this.#stopWaiting();
    const { pipe, begin } = this.#parts;
    const proxied = new ProxiedPipe(pipe, outcome.source, outcome.rest);
    this.passTo(begin(proxied));
    const rest = proxied.takeRest();
    if (rest !== undefined) super.data(rest);
  }

  protected override left(_why: NetworkError | undefined): void {
    this.#stopWaiting();
    this.#closing = true;
    this.#parts.ended();
  }

  /** The server stops: nobody waits for a header any more. */
  leave(): void {
    this.#closing = true;
    this.#stopWaiting();
    this.#parts.pipe.destroy();
  }

  #fail(why: string): void {
    this.#parts.failed(why);
    this.leave();
  }

  #stopWaiting(): void {
    this.#parts.waiting.delete(this);
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}

/** The pipe of a proxy with the client's address, when it has told one, in the place of its own. */
class ProxiedPipe implements Pipe {
  readonly remote: PeerAddress;
  readonly #pipe: Pipe;
  #rest: Uint8Array | undefined;

  /** @param rest  what came behind the header */
  constructor(pipe: Pipe, source: ProxyEnd | undefined, rest: Uint8Array) {
    this.#pipe = pipe;
    this.#rest = rest.length > 0 ? rest : undefined;
    this.remote = source === undefined ? pipe.remote : { ip: source.ip, port: source.port };
  }

  /** @returns what came behind the header and nobody has taken yet: a handshake, or who speaks with the client */
  takeRest(): Uint8Array | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest;
  }

  /** With Use_SSL the client's hello may have come together with the header. */
  secure(how: Securing): void {
    const received = this.takeRest();
    this.#pipe.secure(received === undefined ? how : { ...how, received });
  }

  /** Where the connection came in: our own end, not the proxy's. */
  get local(): PeerAddress {
    return this.#pipe.local;
  }

  write(bytes: Segments): boolean {
    return this.#pipe.write(bytes);
  }

  pause(): void {
    this.#pipe.pause();
  }

  resume(): void {
    this.#pipe.resume();
  }

  end(): void {
    this.#pipe.end();
  }

  destroy(): void {
    this.#pipe.destroy();
  }
}
