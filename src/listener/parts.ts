import type { Endpoint } from '../base/index.ts';
import type { Configuration, ListenerType } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import type { Origin } from '../reception/index.ts';
import type { InboundTls } from '../tls/index.ts';
import type { Clock, Network, Pipe, PipeHost } from '../world/index.ts';

/** Where a client came in, for who speaks with it. `ended` is to be called when its pipe has closed. */
export type DoorOrigin = Origin;

/** Speaks with a client. */
export type Handler = (pipe: Pipe, origin: DoorOrigin) => PipeHost;

/** What listeners need of the rest of the house. */
export interface ListenerParts {
  readonly network: Pick<Network, 'listen'>;
  readonly clock: Clock;
  readonly configuration: Configuration;
  readonly events: Events;
  /** Left out, no client gets TLS from the first byte. */
  readonly tls?: InboundTls;
  /** A type without a handler is not opened, and a notice says so. */
  readonly handlers: Readonly<Partial<Record<ListenerType, Handler>>>;
  /** Where the console's socket is when no Control_Listener has a Listen; `DEFAULT_CONTROL` when left out. */
  readonly control?: Endpoint;
  /** Listeners that stay closed: whoever started the server does not want them in this run. */
  readonly skipped?: readonly ListenerType[];
  /** At the start a socket that cannot be opened is an error in the log, and the server starts without it. */
  readonly tolerant?: boolean;
}
