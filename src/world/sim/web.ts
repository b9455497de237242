import { millis } from '../../base/index.ts';
import type { Clock, Web, WebAnswer, WebLimits, WebReply, WebRequest } from '../world.ts';
import { SimClock } from './clock.ts';

/** What a simulated server says to a request. `silence`: it takes the request, and nothing comes back. */
export type SimReply =
  | { readonly status: number; readonly body?: string | Uint8Array; readonly afterMillis?: number }
  | { readonly why: string }
  | 'silence';

/** Documents by URL, in memory, and servers that answer requests. What is not there is missing. */
export class SimWeb implements Web {
  readonly #documents = new Map<string, Uint8Array | { readonly why: string }>();
  readonly #servers = new Map<string, (request: WebRequest) => SimReply>();
  readonly #clock: Pick<Clock, 'at' | 'now'>;
  /** Every URL that was asked for, in order. */
  readonly asked: string[] = [];
  /** Every request that was sent, in order. */
  readonly sent: WebRequest[] = [];

  constructor(clock: Pick<Clock, 'at' | 'now'> = new SimClock()) {
    this.#clock = clock;
  }

  put(url: string, text: string | Uint8Array): void {
    this.#documents.set(url, typeof text === 'string' ? Buffer.from(text) : text);
  }

  /** From now on asking for it fails. */
  fail(url: string, why = 'ECONNREFUSED'): void {
    this.#documents.set(url, { why });
  }

  /** From now on requests are answered there. */
  serve(url: string, reply: (request: WebRequest) => SimReply): void {
    this.#servers.set(url, reply);
  }

  async get(url: string, limits: WebLimits): Promise<WebAnswer> {
    this.asked.push(url);
    const document = this.#documents.get(url);
    if (document === undefined) return { kind: 'missing', why: 'status 404' };
    if (!(document instanceof Uint8Array)) return { kind: 'failed', why: document.why };
    if (document.length > limits.mostBytes) return { kind: 'failed', why: `more than ${limits.mostBytes} bytes` };
    return { kind: 'found', bytes: document };
  }

  async send(request: WebRequest, { timeoutMillis, mostBytes }: WebLimits): Promise<WebReply> {
    this.sent.push(request);
    const reply = this.#servers.get(request.url)?.(request) ?? { why: 'ECONNREFUSED' };
    if (reply !== 'silence' && 'why' in reply) return { kind: 'failed', why: reply.why };
    const after = reply === 'silence' ? timeoutMillis : (reply.afterMillis ?? 0);
    if (after > 0) await this.#passed(Math.min(after, timeoutMillis));
    if (reply === 'silence' || after >= timeoutMillis)
      return { kind: 'failed', why: `no answer within ${timeoutMillis / 1000} s` };
    const { status, body = '' } = reply;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (bytes.length > mostBytes) return { kind: 'failed', why: `more than ${mostBytes} bytes` };
    return { kind: 'answered', status, bytes };
  }

  #passed(wait: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.at(millis(this.#clock.now() + wait), resolve);
    });
  }
}
