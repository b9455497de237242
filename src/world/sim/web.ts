import type { Web, WebAnswer, WebLimits } from '../world.ts';

/** Documents by URL, in memory. What is not there is missing. */
export class SimWeb implements Web {
  readonly #documents = new Map<string, Uint8Array | { readonly why: string }>();
  /** Every URL that was asked for, in order. */
  readonly asked: string[] = [];

  put(url: string, text: string | Uint8Array): void {
    this.#documents.set(url, typeof text === 'string' ? Buffer.from(text) : text);
  }

  /** From now on asking for it fails. */
  fail(url: string, why = 'ECONNREFUSED'): void {
    this.#documents.set(url, { why });
  }

  async get(url: string, limits: WebLimits): Promise<WebAnswer> {
    this.asked.push(url);
    const document = this.#documents.get(url);
    if (document === undefined) return { kind: 'missing', why: 'status 404' };
    if (!(document instanceof Uint8Array)) return { kind: 'failed', why: document.why };
    if (document.length > limits.mostBytes) return { kind: 'failed', why: `more than ${limits.mostBytes} bytes` };
    return { kind: 'found', bytes: document };
  }
}
