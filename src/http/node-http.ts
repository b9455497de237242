import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import type { Segments } from '../base/index.ts';
import type { Pipe } from '../world/index.ts';

export type { IncomingMessage, ServerResponse } from 'node:http';

/** What the parser is given at once: a client whose reading is held must not have thousands of requests in its last chunk. */
const SLICE = 8192;

/**
 * A pipe as Node's HTTP parser wants it. Fastify stands on Node's own server, and that reads and writes a stream: so this
 * is one, and a socket of the system, TLS or a simulated wire look the same behind it. It is the only place where bytes of
 * HTTP leave our own interfaces; no socket is opened here, and no timer runs.
 */
export class PipeStream extends Duplex {
  readonly #pipe: Pipe;
  readonly #blocked: (yes: boolean) => void;
  #written: (() => void) | undefined;
  #ended = false;
  #held = false;
  /** What the parser has not been given yet. While there is any, the pipe is paused. */
  readonly #received: Uint8Array[] = [];
  #receivedAll = false;
  /** It has asked for more. */
  #wanted = false;

  /** @param blocked the client does not read what was written, or reads again */
  constructor(pipe: Pipe, blocked: (yes: boolean) => void) {
    super({ allowHalfOpen: true, autoDestroy: true, readableHighWaterMark: SLICE });
    this.#pipe = pipe;
    this.#blocked = blocked;
  }

  received(chunk: Uint8Array): void {
    if (this.#receivedAll || this.destroyed) return;
    this.#received.push(chunk);
    this.#give();
  }

  /** Nothing more is read, whatever the parser wants, until it is let go again. */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    if (held) this.#pipe.pause();
    else this.#give();
  }

  /** The parser has not seen all that has come. */
  get hasMore(): boolean {
    return this.#received.length > 0 || this.readableLength > 0;
  }

  /** The client sends nothing more. */
  receivedAll(): void {
    this.#receivedAll = true;
    this.#give();
  }

  drained(): void {
    const written = this.#written;
    if (written === undefined) return;
    this.#written = undefined;
    this.#blocked(false);
    written();
  }

  /** Says something behind the parser's back, and closes once it has gone out. */
  lastWords(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pipe.write([bytes]);
    this.#pipe.end();
    this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    this.#give();
  }

  override _write(chunk: Uint8Array, _encoding: string, written: () => void): void {
    this.#write([chunk], written);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], written: () => void): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      written,
    );
  }

  override _final(done: () => void): void {
    this.#ended = true;
    this.#pipe.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#ended) this.#pipe.destroy();
    this.#ended = true;
    this.#written = undefined;
    done(error);
  }

  /** The parser may hold it in the middle. */
  #give(): void {
    while (this.#wanted && !this.#held && !this.destroyed) {
      const chunk = this.#received[0];
      if (chunk === undefined) break;
      if (chunk.length > SLICE) this.#received[0] = chunk.subarray(SLICE);
      else this.#received.shift();
      // Before it is given: whoever takes it may ask for more, or hold.
      this.#wanted = false;
      if (this.push(chunk.length > SLICE ? chunk.subarray(0, SLICE) : chunk)) this.#wanted = true;
    }
    if (this.destroyed) return;
    if (this.#received.length > 0) this.#pipe.pause();
    else if (this.#receivedAll) this.push(null);
    else if (!this.#held && this.#wanted) this.#pipe.resume();
    else this.#pipe.pause();
  }

  #write(bytes: Segments, written: () => void): void {
    if (this.#ended || this.#pipe.write(bytes)) return written();
    this.#written = written;
    this.#blocked(true);
  }
}

export interface ParserHandlers {
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Bytes that are no request; `code` is the parser's or the stream's name of the trouble. */
  trouble(stream: Duplex, code: string): void;
  /** CONNECT, which nobody serves. */
  tunnel(stream: Duplex): void;
  /** `Expect` of something that is not 100-continue. */
  expectation(request: IncomingMessage, response: ServerResponse): void;
}

/** Longest request line and header fields together, as everywhere: 16 KiB. */
const MOST_HEADER_BYTES = 16_384;

/** Node's HTTP/1.1 parser, strict, with every timer of its own off: how long a client may take is counted by our clock. */
export function parserServer({ request, trouble, tunnel, expectation }: ParserHandlers): Server {
  const server = createServer(
    {
      insecureHTTPParser: false,
      maxHeaderSize: MOST_HEADER_BYTES,
      // Asked for by the server itself, so that the answer is one of ours.
      requireHostHeader: false,
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
    },
    request,
  );
  server.timeout = 0;
  // The size of the header is what limits them: beyond a number Node drops fields, and who looks for a second Host misses it.
  server.maxHeadersCount = 0;
  // A client that has said everything may still wait for its answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Who waits for permission gets it when the body is read, which is after the header was found to be in order.
  server.on('checkContinue', request);
  server.on('checkExpectation', expectation);
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => trouble(stream, error.code ?? ''));
  server.on('connect', (_request, stream) => tunnel(stream));
  return server;
}

/** Hands a client to the parser. */
export function admit(server: Server, stream: PipeStream): void {
  server.emit('connection', stream);
}

/** What Fastify is told to be its server. It is never opened: requests come by `parserServer`. */
export const unusedServer = (): Server => createServer();
