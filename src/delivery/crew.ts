import type { BindingName } from '../base/index.ts';
import type { Generation, View } from '../config/index.ts';
import type { Ids } from '../message/index.ts';
import type { Attempt, Pair } from '../queue/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Chance, Clock, Network, NetworkError, TlsContext } from '../world/index.ts';
import type { HostStates } from './host-state.ts';
import type { Routes } from './routes.ts';

/** A pair that is being served, as the crew sees it. */
export interface Served {
  readonly pair: Pair;
  /** Connections that are open or being opened. */
  readonly open: number;
}

/** Contexts for connections that we make. */
export interface OutboundTls {
  /** @returns undefined when what is configured cannot be used */
  client(view: View): TlsContext | undefined;
}

/** What all pair services share. */
export interface Crew {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly spool: Spool;
  readonly ids: Ids;
  readonly routes: Routes;
  readonly hosts: HostStates;
  readonly tls: OutboundTls;
  readonly noAttempt: Attempt;
  /** Shutting down: what fails now blames nobody. */
  readonly closing: boolean;
  current(): Generation;
  hostName(): string;
  /** Numbers connections. */
  nextNumber(): number;
  /** Serves a pair again after this turn. */
  wake(pair: Pair): void;
  /** A connection of that service has gone. */
  left(service: Served): void;
  /** The machine could not open a connection from that source address. */
  troubled(binding: BindingName, from: string, why: NetworkError): void;
  /** Something that an operator should know. */
  report(text: string): void;
}
