import { type Millis, millis } from '../base/index.ts';
import type { Clock, NetworkError, Pipe, PipeHost } from '../world/index.ts';
import { errorEnvelope, type Refusal, refusal } from './answer.ts';
import { type IncomingMessage, PipeStream, type ServerResponse } from './node-http.ts';
import type { HttpSession } from './session.ts';

/** A request line with its header fields must be complete within this time after its first byte. */
const HEADER_MILLIS = 60_000;
/** A client that is sending a body may pause for this long … */
const BODY_PAUSE_MILLIS = 30_000;
/** … and must have come this far on average once it has had some time. */
const BODY_GRACE_MILLIS = 60_000;
const LEAST_BYTES_PER_SECOND = 512;
/** Requests that may wait for their answers before no more are read. */
const MOST_PIPELINED = 64;

export interface ConnectionParts {
  readonly clock: Clock;
  readonly pipe: Pipe;
  /** Idle_Time of now, in milliseconds; 0 is for ever. */
  readonly idleMillis: () => number;
  /** Says when the answer that the client did not get was wanted. */
  readonly date: () => string;
  readonly closed: (connection: ClientConnection) => void;
}

/** A request without an answer. */
interface Open {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly serve: () => void;
  begun: boolean;
  /** When its body was first asked for: before that it is not late. */
  bodySince: Millis | undefined;
}

/** One client: its stream, and how long it may take for what it is doing. */
export class ClientConnection implements PipeHost {
  readonly stream: PipeStream;
  readonly #parts: ConnectionParts;
  /** Oldest first. One is served at a time: the answers of those behind it would wait in memory for who does not read. */
  readonly #open: Open[] = [];
  #timer: Disposable | undefined;
  /** When the first byte of a request came whose header is not complete. */
  #headerSince: Millis | undefined;
  #bodyBytes = 0;
  /** When it was sent more than it takes. */
  #blockedSince: Millis | undefined;
  #over = false;
  #stateSince: Millis;
  /** What is said, and then closed, once every request has its answer. */
  #farewell: Refusal | undefined;
  /** The server closes: no further request is read. */
  #ending = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#stateSince = parts.clock.now();
    this.stream = new PipeStream(parts.pipe, (yes) => {
      this.#blockedSince = yes ? parts.clock.now() : undefined;
      this.#watch();
    });
    this.#watch();
  }

  /** What the client does, or waits for. */
  get state(): HttpSession['state'] {
    if (this.#blockedSince !== undefined) return 'sending response';
    if (this.#headerSince !== undefined) return 'reading header';
    if (this.#open.length === 0) return 'awaiting request';
    return this.#sending === undefined ? 'serving request' : 'reading body';
  }

  /** When it last did something, or was answered. */
  get since(): Millis {
    return this.#stateSince;
  }

  get ending(): boolean {
    return this.#ending;
  }

  data(chunk: Uint8Array): void {
    if (this.#over || this.#farewell !== undefined) return;
    const { clock } = this.#parts;
    const sending = this.#sending;
    if (sending === undefined) {
      if (this.#open.length === 0) this.#headerSince ??= clock.now();
    } else {
      this.#bodyBytes += chunk.length;
      const taken = clock.now() - sending.bodySince;
      if (taken > BODY_GRACE_MILLIS && this.#bodyBytes < (taken / 1000) * LEAST_BYTES_PER_SECOND)
        return this.refuse(refusal('1200', 'the request is sent too slowly', { status: 408, message: TIMEOUT }));
    }
    this.stream.received(chunk);
    this.#watch();
  }

  drained(): void {
    this.stream.drained();
  }

  ended(): void {
    this.stream.receivedAll();
    // Otherwise the parser ends it, when it has been given all and every answer is out.
    if (this.#open.length === 0 && !this.stream.hasMore) this.stream.end();
  }

  closed(_why?: NetworkError): void {
    this.#over = true;
    this.#timer?.[Symbol.dispose]();
    this.stream.destroy();
    this.#parts.closed(this);
  }

  /** A request has come: its header is complete. @param serve called when those before it have their answers */
  began(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const entry: Open = { request, response, serve, begun: false, bodySince: undefined };
    this.#open.push(entry);
    this.#headerSince = undefined;
    if (this.#open.length >= MOST_PIPELINED) this.stream.hold(true);
    request.once('resume', () => {
      entry.bodySince = this.#parts.clock.now();
      this.#bodyBytes = 0;
      this.#watch();
    });
    response.once('close', () => {
      const at = this.#open.indexOf(entry);
      if (at !== -1) this.#open.splice(at, 1);
      this.#answered();
    });
    this.#watch();
    this.#serveNext();
  }

  /** What came is no request that could be answered in its turn. */
  refuse(why: Refusal): void {
    if (this.#over) return;
    this.#farewell ??= why;
    this.#sayFarewell();
  }

  /** No further request: closes now, or when those under way have their answers. */
  finish(): void {
    this.#ending = true;
    if (this.#open.length === 0) this.stream.end();
  }

  /** Whoever is not done by now. */
  cut(): void {
    this.stream.destroy();
  }

  #answered(): void {
    if (this.#over) return;
    if (this.#open.length < MOST_PIPELINED) this.stream.hold(false);
    if (this.#open.length === 0 && (this.#ending || this.stream.readableEnded)) this.stream.end();
    this.#serveNext();
    if (this.#farewell !== undefined) return this.#sayFarewell();
    this.#watch();
  }

  #serveNext(): void {
    const next = this.#open[0];
    // Behind an answer that ends the connection nothing is done of which the client would never hear.
    if (next === undefined || next.begun || this.stream.writableEnded || this.stream.destroyed) return;
    // Its body broke off: it will never be whole.
    if (this.#farewell !== undefined && !next.request.complete) return;
    next.begun = true;
    next.serve();
  }

  /** As soon as every request that came whole has its answer: one whose body broke off will never have any. */
  #sayFarewell(): void {
    const why = this.#farewell;
    if (why === undefined || this.#over || this.#owesAnswers) return;
    this.#over = true;
    this.#timer?.[Symbol.dispose]();
    // An answer was the last one, and has said so.
    if (this.stream.writableEnded) return;
    this.stream.lastWords(Buffer.from(rawAnswer(why, this.#parts.date()), 'utf8'));
  }

  /** Of requests that came whole; an answer that has begun must have its end before anything else is said. */
  get #owesAnswers(): boolean {
    return this.#open.some(({ request, response }) => request.complete || response.headersSent);
  }

  /** The request whose body we wait for. */
  get #sending(): { readonly bodySince: Millis } | undefined {
    const last = this.#open.at(-1);
    if (last === undefined || last.request.complete) return undefined;
    const { bodySince } = last;
    return bodySince === undefined ? undefined : { bodySince };
  }

  /** One timer, for whatever the client is to do next. While it waits for us there is none. */
  #watch(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#over) return;
    const { clock } = this.#parts;
    this.#stateSince = clock.now();
    const idle = this.#parts.idleMillis();
    if (this.#blockedSince !== undefined) {
      // Counted from when it stopped: what it says meanwhile does not help.
      if (idle > 0) this.#after(Math.max(0, this.#blockedSince + idle - clock.now()), () => this.stream.destroy());
    } else if (this.#headerSince !== undefined) {
      this.#after(Math.max(0, this.#headerSince + HEADER_MILLIS - clock.now()), () => this.refuse(LATE_HEADER));
    } else if (this.#open.length === 0) {
      if (idle > 0) this.#after(idle, () => this.stream.end());
    } else if (this.#sending !== undefined) {
      this.#after(BODY_PAUSE_MILLIS, () => {
        if (this.#sending === undefined) this.#watch();
        else this.refuse(LATE_BODY);
      });
    }
  }

  #after(wait: number, run: () => void): void {
    const { clock } = this.#parts;
    this.#timer = clock.at(millis(clock.now() + wait), run);
  }
}

const TIMEOUT = 'request timeout';
const LATE_HEADER = refusal('1200', `the header was not complete within ${HEADER_MILLIS / 1000} s`, {
  status: 408,
  message: TIMEOUT,
});
const LATE_BODY = refusal('1200', `nothing of the body came for ${BODY_PAUSE_MILLIS / 1000} s`, {
  status: 408,
  message: TIMEOUT,
});

/** An answer without a request that could carry it, for a connection that closes behind it. */
function rawAnswer(why: Refusal, date: string): string {
  const body = errorEnvelope(why);
  return (
    `HTTP/1.1 ${why.status} ${PHRASES[why.status] ?? 'Error'}\r\nDate: ${date}\r\nConnection: close\r\n` +
    `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};
