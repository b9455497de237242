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
      const response = await fetch(url, { redirect: 'follow', signal: patience.signal });
      const answer = await answerOf(url, response, limits.mostBytes);
      // What was not read must not keep the connection.
      if (answer.kind !== 'found') patience.abort();
      return answer;
    } catch (error) {
      return { kind: 'failed', why: late ? `no answer within ${limits.timeoutMillis / 1000} s` : reasonOf(error) };
    }
  }
}

async function answerOf(url: string, response: Response, mostBytes: number): Promise<WebAnswer> {
  const scheme = (of: string): string => of.slice(0, of.indexOf(':')).toLowerCase();
  if (scheme(url) === 'https' && scheme(response.url) !== 'https')
    return { kind: 'failed', why: `redirected to ${response.url}, which is not encrypted` };
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
