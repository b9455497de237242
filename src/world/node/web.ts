import { millis } from '../../base/index.ts';
import type { Clock, Web, WebAnswer, WebLimits, WebReply, WebRequest } from '../world.ts';
import { WebSender } from './web-sender.ts';

/** The web as Node's own client sees it, with the system's certificates. */
export class NodeWeb implements Web {
  readonly #clock: Pick<Clock, 'at' | 'now'>;
  readonly #sender: WebSender;

  constructor(clock: Pick<Clock, 'at' | 'now'>) {
    this.#clock = clock;
    this.#sender = new WebSender(clock);
  }

  send(request: WebRequest, limits: WebLimits): Promise<WebReply> {
    return this.#sender.send(request, limits);
  }

  async get(url: string, limits: WebLimits): Promise<WebAnswer> {
    const patience = new AbortController();
    let late = false;
    using _timer = this.#clock.at(millis(this.#clock.now() + limits.timeoutMillis), () => {
      late = true;
      patience.abort();
    });
    try {
      const answer = await documentAt(url, patience.signal, limits.mostBytes);
      // What was not read must not keep the connection.
      if (answer.kind !== 'found') patience.abort();
      return answer;
    } catch (error) {
      return { kind: 'failed', why: late ? `no answer within ${limits.timeoutMillis / 1000} s` : reasonOf(error) };
    }
  }
}

/** Redirections are followed one by one: `fetch` tells only where the last one led. */
async function documentAt(url: string, signal: AbortSignal, mostBytes: number): Promise<WebAnswer> {
  let at = new URL(url);
  for (let hops = 0; hops <= MOST_REDIRECTIONS; hops++) {
    const response = await fetch(at, { redirect: 'manual', signal });
    const location = REDIRECTIONS.has(response.status) ? response.headers.get('location') : null;
    if (location === null) return answerOf(response, mostBytes);
    await response.body?.cancel();
    const next = new URL(location, at);
    if (next.protocol !== 'https:' && next.protocol !== 'http:')
      return { kind: 'failed', why: `redirected to ${next.href}, which is no web address` };
    if (next.protocol === 'http:' && at.protocol === 'https:')
      return { kind: 'failed', why: `redirected to ${next.href}, which is not encrypted` };
    at = next;
  }
  return { kind: 'failed', why: `more than ${MOST_REDIRECTIONS} redirections` };
}

const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** As `fetch` has it. */
const MOST_REDIRECTIONS = 20;

async function answerOf(response: Response, mostBytes: number): Promise<WebAnswer> {
  if (response.status === 404 || response.status === 410) return { kind: 'missing', why: `status ${response.status}` };
  if (response.status !== 200) return { kind: 'failed', why: `status ${response.status}` };
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > mostBytes) return { kind: 'failed', why: `more than ${mostBytes} bytes` };
    chunks.push(chunk);
  }
  return { kind: 'found', bytes: Buffer.concat(chunks) };
}

/** Node says `fetch failed` and puts what has failed behind it. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const system: NodeJS.ErrnoException | undefined = cause instanceof Error ? cause : undefined;
  return system?.code ?? system?.message ?? (error instanceof Error ? error.message : String(error));
}
