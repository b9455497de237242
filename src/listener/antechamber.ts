import { millis } from '../base/index.ts';
import { peerText } from '../reception/index.ts';
import type { InboundTls } from '../tls/index.ts';
import {
  type Clock,
  type NetworkError,
  type Pipe,
  type PipeHost,
  type TlsContext,
  TlsError,
  type TlsFacts,
} from '../world/index.ts';
import { PassingHost } from './passing-host.ts';

export interface AntechamberParts {
  readonly pipe: Pipe;
  readonly clock: Clock;
  readonly tls: InboundTls;
  /** Whoever speaks with the client once it is secured. */
  readonly begin: (facts: TlsFacts) => PipeHost;
  /** The client has gone before that. */
  readonly ended: () => void;
}

/** What a client gets for its handshake. */
export const HANDSHAKE_MILLIS = 60_000;

/** Where clients of a listener with Use_SSL wait until their handshake is done; then it only passes on. */
export class Antechamber extends PassingHost {
  readonly #parts: AntechamberParts;
  #timer: Disposable | undefined;

  constructor(parts: AntechamberParts, context: TlsContext) {
    super(parts.pipe);
    this.#parts = parts;
    const { clock, pipe, tls } = parts;
    this.#timer = clock.at(millis(clock.now() + HANDSHAKE_MILLIS), () => {
      tls.failed(peerText(pipe.remote), 'handshake timeout');
      pipe.destroy();
    });
    pipe.secure({ as: 'server', context });
  }

  override secured(facts: TlsFacts): void {
    this.#stopWaiting();
    this.passTo(this.#parts.begin(facts));
  }

  protected override left(why: NetworkError | undefined): void {
    this.#stopWaiting();
    const { pipe, tls, ended } = this.#parts;
    if (why instanceof TlsError) tls.failed(peerText(pipe.remote), why.message);
    ended();
  }

  #stopWaiting(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
