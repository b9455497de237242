import type { Millis } from '../base/index.ts';
import type { PeerAddress } from '../world/index.ts';

/** A client, as consoles show it. */
export interface HttpSession {
  readonly number: number;
  readonly remote: PeerAddress;
  readonly state: 'awaiting request' | 'reading header' | 'reading body' | 'sending response' | 'serving request';
  readonly since: Millis;
  /** Waits for us, and not for the client. */
  readonly floating: boolean;
}
