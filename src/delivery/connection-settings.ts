import { inMillis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import type { MessageId } from '../message/index.ts';
import type { ClientAuth } from '../smtp/index.ts';
import type { TlsDemands } from '../tls/index.ts';
import type { TlsContext } from '../world/index.ts';
import type { HostState } from './host-state.ts';
import {
  bodyTimeout,
  connectTimeout,
  type DeliveryMethod,
  deliveryMethod,
  deliveryResponseTimeout,
  ecstreamTimeout,
  ehloTimeout,
  idleTimeout,
  mailfromTimeout,
  rcpttoTimeout,
  rsetTimeout,
} from './options.ts';
import type { RouteAddress } from './route.ts';

export interface ConnectionSettings {
  readonly id: MessageId;
  /** Counts up from 1; for consoles. */
  readonly number: number;
  readonly address: RouteAddress;
  readonly port: number;
  readonly state: HostState;
  readonly view: View;
  readonly ehloName: string;
  readonly method: DeliveryMethod;
  readonly pipelining: boolean;
  readonly tls: TlsSettings;
  /** Undefined: nobody logs in. It is the same as long as the session lives, since `view` is. */
  readonly auth: ClientAuth | undefined;
  readonly timeouts: ConnectionTimeouts;
}

/** What TLS is to a connection. */
export interface TlsSettings {
  readonly demands: TlsDemands;
  /** Undefined when what is configured cannot be used: then no handshake can end well. */
  readonly context: TlsContext | undefined;
  /** The recipients' domain and the exchanger: whom its certificate may name. */
  readonly names: readonly string[];
  /** The connection before this one has tried: clear text is what is left. */
  readonly givenUp: boolean;
}

/** Milliseconds (spec/delivery 8.1). */
export interface ConnectionTimeouts {
  readonly connect: number;
  readonly ehlo: number;
  readonly mailFrom: number;
  readonly rcptTo: number;
  readonly body: number;
  readonly rset: number;
  readonly idle: number;
  /** ECStream: for the answer to the oldest message. */
  readonly response: number;
}

export const timeoutsOf = (view: View): ConnectionTimeouts => ({
  // ECStream: for the connection and the WELCOME together.
  connect: inMillis(view.get(view.get(deliveryMethod) === 'ECSTREAM' ? ecstreamTimeout : connectTimeout)),
  ehlo: inMillis(view.get(ehloTimeout)),
  mailFrom: inMillis(view.get(mailfromTimeout)),
  rcptTo: inMillis(view.get(rcpttoTimeout)),
  body: inMillis(view.get(bodyTimeout)),
  rset: inMillis(view.get(rsetTimeout)),
  idle: inMillis(view.get(idleTimeout)),
  response: view.get(deliveryResponseTimeout),
});
