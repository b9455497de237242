import { type Millis, millis } from '../base/index.ts';
import type { RouteAddress } from './route.ts';

/** A connection in clear text that is not made by then is not wanted any more. */
const SOON_MILLIS = 30_000;
const MOST_SHUNNED = 1000;

/** What a pair has learned of TLS at its addresses; other pairs, with other demands, may think otherwise of them. */
export class TlsMemory {
  /** Until when each will not do. */
  readonly #shunned = new Map<string, Millis>();
  /** To be tried next, once each, without TLS. */
  readonly #plain: { readonly address: RouteAddress; readonly until: Millis }[] = [];

  shun(address: RouteAddress, until: Millis): void {
    if (this.#shunned.size >= MOST_SHUNNED) this.#shunned.clear();
    this.#shunned.set(keyOf(address), until);
  }

  shunnedUntil(address: RouteAddress): Millis | undefined {
    return this.#shunned.size === 0 ? undefined : this.#shunned.get(keyOf(address));
  }

  tryPlain(address: RouteAddress, now: Millis): void {
    this.#plain.push({ address, until: millis(now + SOON_MILLIS) });
  }

  /** @returns an address for which this connection does without TLS; each is given once */
  plainNext(now: Millis): RouteAddress | undefined {
    for (;;) {
      const next = this.#plain.shift();
      if (next === undefined || next.until > now) return next?.address;
    }
  }
}

const keyOf = ({ ip, port }: RouteAddress): string => `${ip} ${port ?? ''}`;
