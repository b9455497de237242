import { type Domain, literalAddress } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { gateway } from '../queue/index.ts';
import { type Reply, reply } from '../smtp/index.ts';

/** The manual: such a peer comes from Gateway, never from MX records or Routes. */
const NO_GATEWAY = reply(451, '4.4.0', '[internal] delivery_method ECSTREAM needs a Gateway');

/**
 * Mail with a gateway is queued below the gateway's name, and the stanzas of that name hold for it: an address as routing
 * domain has no exchangers to be mistaken for, whether its own stanza names a gateway or not.
 *
 * @returns why nothing can be sent by ECStream with these settings
 */
export const streamTrouble = (view: View, domain: Domain): Reply | undefined =>
  view.get(gateway) === undefined && literalAddress(domain) === undefined ? NO_GATEWAY : undefined;
