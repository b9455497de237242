import type { NetworkError, Pipe, PipeHost, TlsFacts } from '../world/index.ts';

/**
 * Stands at a pipe until it is known who will speak with the client; from then on it only passes on. Whoever waits for
 * something says what becomes of what comes meanwhile.
 */
export class PassingHost implements PipeHost {
  readonly #pipe: Pipe;
  #inner: PipeHost | undefined;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** Whoever speaks with the client is there. */
  protected get passing(): boolean {
    return this.#inner !== undefined;
  }

  /** From now on the pipe is the host's. */
  protected passTo(host: PipeHost): void {
    this.#inner = host;
  }

  /** The client has gone before anybody spoke with it. */
  protected left(_why: NetworkError | undefined): void {}

  data(chunk: Uint8Array): void {
    this.#inner?.data(chunk);
  }

  drained(): void {
    this.#inner?.drained();
  }

  secured(facts: TlsFacts): void {
    this.#inner?.secured?.(facts);
  }

  ended(): void {
    if (this.#inner?.ended === undefined) this.#pipe.end();
    else this.#inner.ended();
  }

  closed(why?: NetworkError): void {
    if (this.#inner === undefined) this.left(why);
    else this.#inner.closed(why);
  }
}
