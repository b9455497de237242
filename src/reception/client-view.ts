import { type Endpoint, unmapped } from '../base/index.ts';
import type { Generation, ListenerType, View } from '../config/index.ts';
import type { PeerAddress } from '../world/index.ts';
import { pathway } from './options.ts';

/** The address that ACLs, Peer stanzas and policy look at: a client of a Unix socket counts as loopback. */
export const clientAddress = (peer: PeerAddress): string => (peer.ip === '' ? '127.0.0.1' : unmapped(peer.ip));

/**
 * The values that hold for a client: its `pathway` is looked up by listener, Listen and Peer, and then stands behind
 * them (configuration 7.5).
 *
 * @returns `name` undefined when no pathway is set
 */
export function receivingView(
  generation: Generation,
  listener: ListenerType,
  endpoint: Endpoint,
  ip: string,
): { readonly view: View; readonly name: string | undefined } {
  const plain = generation.receiving(listener, endpoint, ip);
  const name = plain.get(pathway);
  return { view: name === undefined ? plain : generation.receiving(listener, endpoint, ip, name), name };
}
