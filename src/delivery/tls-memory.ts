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
  readonly #plain: { readonly address: RouteAddress; until: Millis }[] = [];

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

  /** @returns an address to which the next connection does without TLS; the same one until `plainTried` */
  plainNext(now: Millis): RouteAddress | undefined {
    for (let next = this.#plain[0]; next !== undefined; next = this.#plain[0]) {
      if (next.until > now) return next.address;
      this.#plain.shift();
    }
    return undefined;
  }

  /** There is a connection to what `plainNext` gave: another one begins with TLS again. */
  plainTried(): void {
    this.#plain.shift();
  }

  /** No connection may be made before: those in clear text are still wanted then. */
  postpone(now: Millis, until: Millis): void {
    for (const each of this.#plain) {
      if (each.until > now) each.until = millis(Math.max(each.until, until + SOON_MILLIS));
    }
  }
}

const keyOf = ({ ip, port }: RouteAddress): string => `${ip} ${port ?? ''}`;
