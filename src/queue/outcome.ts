import type { Millis } from '../base/index.ts';
import type { AttemptTls } from '../events/index.ts';
import type { MessageId } from '../message/index.ts';
import type { Gate } from '../shaping/index.ts';
import type { Reply } from '../smtp/index.ts';

/** What an attempt has to say for a log line, a bounce and a retry. */
export interface Attempt {
  /** Stage code of the logs. */
  readonly stage: number;
  readonly connectionId: MessageId;
  readonly address: string;
  readonly host: string;
  /** Bytes handed to the peer. */
  readonly bytes: number;
  /** Of the configuration that the connection was opened with; undefined when there was none. */
  readonly generation?: number;
  /** Left out when no session stood. */
  readonly tls?: AttemptTls;
}

/** An attempt was made and judged. */
export interface Judged {
  readonly kind: 'delivered' | 'deferred' | 'failed';
  readonly reply: Reply;
  readonly attempt: Attempt;
  /** A delivery to a server that tells nobody of it, in the words of DSN: handed on, or final. */
  readonly untold?: 'relayed' | 'delivered';
}

/** No attempt was made: no retry is charged. `until` is on the clock's scale (`now`). */
export interface Returned {
  readonly kind: 'returned';
  readonly gate: Gate;
  readonly until: Millis;
}

export type Outcome = Judged | Returned;

/** Why a message has failed, and how its sender is told: what a restart must know as long as its bounce is not stored. */
export interface Decided {
  readonly said: Reply;
  readonly expired: boolean;
  readonly quiet: boolean;
}

export interface Verdict extends Decided {
  readonly outcome: Judged | undefined;
}

/** No more than that, and its sender is told. */
export const failed = (said: Reply): Verdict => ({ outcome: undefined, said, expired: false, quiet: false });
