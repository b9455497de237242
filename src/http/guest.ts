import type { View } from '../config/index.ts';
import type { PeerCertificate, Pipe } from '../world/index.ts';
import type { ClientConnection } from './connection.ts';

/** A client, and the values that hold for it at the moment. */
export interface Guest {
  /** Stays the same as long as it is connected. */
  readonly number: number;
  readonly connection: ClientConnection;
  readonly pipe: Pipe;
  /** The address that ACLs and keys look at. */
  readonly ip: string;
  /** Its certificate, when it showed one that leads to an authority of TLS_Client_CA. */
  readonly certificate: PeerCertificate | undefined;
  /** Canonical text of the endpoint that it came in by. */
  readonly listener: string;
  view(): View;
}
