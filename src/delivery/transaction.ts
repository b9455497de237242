import type { Millis } from '../base/index.ts';
import type { BodyHold } from '../message/index.ts';
import type { Item } from '../queue/index.ts';
import type { OutgoingBody } from '../smtp/index.ts';

/** One message under way over a connection, to one recipient or several. */
export interface Transaction {
  readonly number: number;
  readonly items: readonly Item[];
  readonly hold: BodyHold;
  readonly body: OutgoingBody;
  readonly startedAt: Millis;
  /** Of the body, handed to the pipe. */
  bytes: number;
  /** Of the machine's `body`. */
  turn: number;
}
