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
export class Antechamber implements PipeHost {
  readonly #parts: AntechamberParts;
  #inner: PipeHost | undefined;
  #timer: Disposable | undefined;

  constructor(parts: AntechamberParts, context: TlsContext) {
    this.#parts = parts;
    const { clock, pipe, tls } = parts;
    this.#timer = clock.at(millis(clock.now() + HANDSHAKE_MILLIS), () => {
      tls.failed(peerText(pipe.remote), 'handshake timeout');
      pipe.destroy();
    });
    pipe.secure({ as: 'server', context });
  }

  secured(facts: TlsFacts): void {
    this.#stopWaiting();
    this.#inner = this.#parts.begin(facts);
  }

  data(chunk: Uint8Array): void {
    this.#inner?.data(chunk);
  }

  drained(): void {
    this.#inner?.drained();
  }

  ended(): void {
    if (this.#inner?.ended === undefined) this.#parts.pipe.end();
    else this.#inner.ended();
  }

  closed(why?: NetworkError): void {
    this.#stopWaiting();
    if (this.#inner !== undefined) return this.#inner.closed(why);
    if (why instanceof TlsError) this.#parts.tls.failed(peerText(this.#parts.pipe.remote), why.message);
    this.#parts.ended();
  }

  #stopWaiting(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
