import type { Item, Outcome } from '../queue/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Clock, NetworkError } from '../world/index.ts';

/** What a connection needs of whoever opened it. */
export interface ConnectionOwner<C> {
  readonly clock: Clock;
  readonly spool: Spool;
  /** The next items to send over this connection: of one message, already charged to the throttles; empty: go idle. */
  work(connection: C): readonly Item[];
  /** It has nothing to send and waits to be woken. */
  idle(connection: C): void;
  settle(items: readonly Item[], outcomes: (index: number) => Outcome): void;
  /** Never got as far as a session: the address is to blame, another may be tried at once. */
  unreachable(connection: C, stage: number): void;
  /**
   * A session without the TLS or the login that is demanded, or with somebody who is not who he should be: for this pair the address
   * will not do, and others may use it.
   */
  insecure(connection: C, stage: number, why: Reply): void;
  /** TLS could not be had and nothing demands it: the same address is to be tried at once in clear text. */
  plainNext(connection: C): void;
  /** No connection could be opened, and that is our own trouble: no address is to blame, no message is charged. */
  troubled(why: NetworkError): void;
  /** A session stands: the address is good. Called once at most, and never together with `unreachable`. */
  established(connection: C): void;
  /** Something that an operator should know. */
  report(text: string): void;
  /** The pipe is closed; called exactly once, after every item of it was settled. */
  closed(connection: C): void;
}
