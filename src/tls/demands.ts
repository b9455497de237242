import type { View } from '../config/index.ts';
import { type ClientTls, type Reply, tlsReplies } from '../smtp/index.ts';
import { holdsFor, type TlsFacts } from '../world/index.ts';
import { tls, tlsFallbackAlwaysNewConnection, tlsIfavailableFallback, tlsVerify } from './options.ts';

/**
 * What a connection to a peer has to fulfil. The options say it; a policy that the recipient's domain has published may
 * put a stricter one in its place.
 */
export interface TlsDemands extends ClientTls {
  readonly verify: 'no' | 'ca' | 'host' | 'optional';
}

export const tlsDemands = (view: View): TlsDemands => ({
  use: view.get(tls),
  verify: view.get(tlsVerify),
  fallback: view.get(tlsIfavailableFallback),
  alwaysNewConnection: view.get(tlsFallbackAlwaysNewConnection),
});

/** @returns why the peer is not who it should be, undefined when it is or nobody asks */
export function distrust(facts: TlsFacts, demands: TlsDemands, hosts: readonly string[]): Reply | undefined {
  const { verify } = demands;
  if (verify === 'no' || verify === 'optional') return undefined;
  if (!trusted(facts)) return tlsReplies.untrusted;
  return verify === 'host' && !namesOne(facts, hosts) ? tlsReplies.otherHost : undefined;
}

/** Signed by somebody we trust, and for one of these hosts: what logs call verified. */
export const verified = (facts: TlsFacts, hosts: readonly string[]): boolean =>
  trusted(facts) && namesOne(facts, hosts);

const trusted = ({ peer }: TlsFacts): boolean => peer !== undefined && peer.distrust === undefined;
const namesOne = ({ peer }: TlsFacts, hosts: readonly string[]): boolean => peer !== undefined && holdsFor(peer, hosts);
