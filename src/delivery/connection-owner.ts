import type { Item, Outcome } from '../queue/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Clock } from '../world/index.ts';

/** What a connection needs of whoever opened it. */
export interface ConnectionOwner<C> {
  readonly clock: Clock;
  readonly spool: Spool;
  /** The next items to send over this connection: of one message, already charged to the throttles; empty: go idle. */
  work(connection: C): readonly Item[];
  /** Whether an idle connection should stay open for a while. */
  idle(connection: C): void;
  settle(items: readonly Item[], outcomes: (index: number) => Outcome): void;
  /** Never got as far as a session: the address is to blame, another may be tried at once. */
  unreachable(connection: C, why: Reply, stage: number): void;
  /** A session stands: the address is good. */
  established(connection: C): void;
  /** The connection is gone; called exactly once, after every item of it was settled. */
  closed(connection: C): void;
}
