import { type Millis, millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock, TlsContext } from '../world/index.ts';

/** What those who accept connections need of this room. */
export interface InboundTls {
  /** @returns undefined when there is no certificate, or none that can be used */
  server(view: View): TlsContext | undefined;
  /** A handshake with a client has failed. @param peer  `ip:port` */
  failed(peer: string, why: string): void;
}

const ONE_LINE_MILLIS = 1000;

/** Handshakes of clients that failed: all are counted, and a flood of them makes one line a second. */
export class HandshakeFailures {
  /** Since the start. */
  count = 0;
  readonly #clock: Clock;
  readonly #events: Pick<Events, 'diagnose'>;
  /** Not told of yet. */
  #untold = 0;
  #last = '';
  #silentUntil: Millis = millis(Number.NEGATIVE_INFINITY);
  #timer: Disposable | undefined;

  constructor(clock: Clock, events: Pick<Events, 'diagnose'>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** @param peer  `ip:port` */
  add(peer: string, why: string): void {
    this.count += 1;
    this.#untold += 1;
    this.#last = `TLS handshake with ${peer} failed: ${why}`;
    const now = this.#clock.now();
    if (now >= this.#silentUntil) this.#tell();
    else this.#timer ??= this.#clock.at(this.#silentUntil, () => this.#tell());
  }

  #tell(): void {
    this.#timer = undefined;
    const more = this.#untold - 1;
    this.#untold = 0;
    this.#silentUntil = millis(this.#clock.now() + ONE_LINE_MILLIS);
    this.#events.diagnose('NOTICE', 'tls', more === 0 ? this.#last : `${this.#last} (and ${more} more)`);
  }

  /** No line is owed any more. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    if (this.#untold > 0) this.#tell();
  }
}
