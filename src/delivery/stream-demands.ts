import type { View } from '../config/index.ts';
import { gateway } from '../queue/index.ts';
import { type Reply, reply } from '../smtp/index.ts';

/** The manual: such a peer comes from Gateway, never from MX records or Routes. */
const NO_GATEWAY = reply(451, '4.4.0', '[internal] delivery_method ECSTREAM needs a Gateway');

/** @returns why nothing can be sent by ECStream with these settings */
export const streamTrouble = (view: View): Reply | undefined =>
  view.get(gateway) === undefined ? NO_GATEWAY : undefined;
