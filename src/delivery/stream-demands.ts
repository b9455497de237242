import type { View } from '../config/index.ts';
import { gateway } from '../queue/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import { tlsDemands } from '../tls/index.ts';

/** The manual: such a peer comes from Gateway, never from MX records or Routes. */
const NO_GATEWAY = reply(451, '4.4.0', '[internal] delivery_method ECSTREAM needs a Gateway');
/** What must not go in clear waits until somebody decides otherwise. */
const NO_TLS = reply(451, '4.7.6', '[internal] TLS required, which delivery_method ECSTREAM does not have yet');

/** @returns why nothing can be sent by ECStream with these settings */
export function streamTrouble(view: View): Reply | undefined {
  if (view.get(gateway) === undefined) return NO_GATEWAY;
  return tlsDemands(view).use === 'required' ? NO_TLS : undefined;
}
