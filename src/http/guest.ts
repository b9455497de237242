import type { View } from '../config/index.ts';
import type { Pipe } from '../world/index.ts';
import type { ClientConnection } from './connection.ts';

/** A client, and the values that hold for it at the moment. */
export interface Guest {
  readonly connection: ClientConnection;
  readonly pipe: Pipe;
  /** The address that ACLs and keys look at. */
  readonly ip: string;
  view(): View;
}
