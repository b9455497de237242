import { createHash } from 'node:crypto';
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { millis } from '../../base/index.ts';
import type { Clock, WebLimits, WebReply, WebRequest } from '../world.ts';

/** Connections to one server at once, and those of them that stay open for the next request. */
const MOST_SOCKETS = 64;
const MOST_IDLE = 8;
const IDLE_MILLIS = 5_000;
/** Bundles of authorities that have connections of their own at a time. */
const MOST_AGENTS = 16;

interface Trust {
  readonly ca?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

/**
 * Requests by Node's own client. `fetch` cannot be told whom to trust without a package beside Node, and a connection
 * that is kept saves two handshakes for each question.
 */
export class WebSender {
  readonly #clock: Pick<Clock, 'at' | 'now'>;
  readonly #plain = new PlainAgent(KEPT);
  readonly #secure = new Map<string, SecureAgent>();

  constructor(clock: Pick<Clock, 'at' | 'now'>) {
    this.#clock = clock;
  }

  async send(request: WebRequest, { timeoutMillis, mostBytes }: WebLimits): Promise<WebReply> {
    const patience = new AbortController();
    let late = false;
    using _timer = this.#clock.at(millis(this.#clock.now() + timeoutMillis), () => {
      late = true;
      patience.abort();
    });
    try {
      const answer = await this.#answered(request, patience.signal);
      return await readWhole(answer, mostBytes);
    } catch (error) {
      return { kind: 'failed', why: late ? `no answer within ${timeoutMillis / 1000} s` : reasonOf(error) };
    }
  }

  async #answered(request: WebRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const trust = trustOf(request.authorities);
    const secure = request.url.slice(0, 6).toLowerCase() === 'https:';
    const agent = secure ? this.#secureAgent(request.authorities, trust) : this.#plain;
    const sent = begin(request, { agent, signal, ...(secure ? trust : {}) });
    try {
      return await response(sent);
    } catch (error) {
      // The server had closed a connection that was kept, and we did not know yet.
      if (!sent.reusedSocket || signal.aborted) throw error;
      return await response(begin(request, { agent: false, signal, ...(secure ? trust : {}) }));
    }
  }

  #secureAgent(authorities: WebRequest['authorities'], trust: Trust): SecureAgent {
    const name =
      typeof authorities === 'string' ? authorities : createHash('sha256').update(authorities).digest('base64');
    const known = this.#secure.get(name);
    if (known !== undefined) return known;
    // Connections of the one that is forgotten close when they have been idle long enough.
    if (this.#secure.size >= MOST_AGENTS)
      for (const oldest of [...this.#secure.keys()].slice(0, 1)) this.#secure.delete(oldest);
    const agent = new SecureAgent({ ...KEPT, ...trust });
    this.#secure.set(name, agent);
    return agent;
  }
}

const KEPT = { keepAlive: true, maxSockets: MOST_SOCKETS, maxFreeSockets: MOST_IDLE, timeout: IDLE_MILLIS };

function begin(
  { method, url, headers, body }: WebRequest,
  how: RequestOptions & Trust,
): ReturnType<typeof plainRequest> {
  const options = { ...how, method, headers: { ...headers, 'content-length': body.length } };
  const secure = new URL(url).protocol === 'https:';
  const sent = secure ? secureRequest(url, options) : plainRequest(url, options);
  sent.end(body);
  return sent;
}

function response(sent: ReturnType<typeof plainRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
    // A server that wants another protocol (101) is hung up on without an error.
    sent.once('close', () => reject(new Error('closed without an answer')));
  });
}

async function readWhole(answer: IncomingMessage, mostBytes: number): Promise<WebReply> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > mostBytes) return { kind: 'failed', why: `more than ${mostBytes} bytes` };
    chunks.push(chunk);
  }
  return { kind: 'answered', status: answer.statusCode ?? 0, bytes: Buffer.concat(chunks) };
}

function trustOf(authorities: WebRequest['authorities']): Trust {
  if (authorities === 'public') return {};
  return authorities === 'unverified' ? { rejectUnauthorized: false } : { ca: Buffer.from(authorities) };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code }: NodeJS.ErrnoException = error;
  return code ?? error.message;
}
