import type { NetworkError, Pipe, PipeHost } from '../world/index.ts';
import { PassingHost } from './passing-host.ts';

/** Stands at a pipe, which it pauses, until it is known who will speak with the client. */
export class WaitingHost extends PassingHost {
  readonly #pipe: Pipe;
  /** The client has gone while it waited. */
  #gone = false;

  constructor(pipe: Pipe) {
    super(pipe);
    this.#pipe = pipe;
    pipe.pause();
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** From now on the pipe is the host's. Not to be called for a client that has gone. */
  hand(host: PipeHost): void {
    this.passTo(host);
    this.#pipe.resume();
  }

  protected override left(_why: NetworkError | undefined): void {
    this.#gone = true;
  }
}
