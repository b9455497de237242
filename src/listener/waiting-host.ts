import type { NetworkError, Pipe, PipeHost } from '../world/index.ts';

/** Stands at a pipe, which it pauses, until it is known who will speak with the client. */
export class WaitingHost implements PipeHost {
  readonly #pipe: Pipe;
  #host: PipeHost | undefined;
  /** The client has gone while it waited. */
  #gone = false;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
    pipe.pause();
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** From now on the pipe is the host's. Not to be called for a client that has gone. */
  hand(host: PipeHost): void {
    this.#host = host;
    this.#pipe.resume();
  }

  data(chunk: Uint8Array): void {
    this.#host?.data(chunk);
  }

  drained(): void {
    this.#host?.drained();
  }

  ended(): void {
    if (this.#host?.ended) this.#host.ended();
    else this.#pipe.end();
  }

  closed(why?: NetworkError): void {
    this.#gone = true;
    this.#host?.closed(why);
  }
}
