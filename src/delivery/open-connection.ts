import type { Millis } from '../base/index.ts';
import type { ConnectHost, Pipe } from '../world/index.ts';
import type { ConnectionSettings } from './connection-settings.ts';

/** A connection to a peer, as those see it who open, count and end it; whatever is spoken over it. */
export interface OpenConnection extends ConnectHost {
  readonly settings: ConnectionSettings;
  readonly openedAt: Millis;
  /** To be called once with what `network.connect` gave. */
  start(pipe: Pipe): void;
  /** In words, for consoles. */
  readonly state: string;
  /** Since when it waits for the peer. */
  readonly since: Millis;
  /** The peer was ready for a message once. */
  readonly stood: boolean;
  /** Recipients under way: nobody knows yet what becomes of them. */
  readonly undecided: number;
  /** Successful deliveries over this connection. */
  readonly deliveries: number;
  /** Recipients that were asked for over it. */
  readonly recipients: number;
  /** Most recipients that the peer takes of one message, 0 when it names no limit. */
  readonly mostRecipients: number;
  /** There may be something to send. */
  wake(): void;
  /** Ends in order: what is in flight is finished, nothing new is begun. */
  leave(): void;
  /** Ends now. Whatever was in flight counts as an attempt. */
  abort(): void;
}
