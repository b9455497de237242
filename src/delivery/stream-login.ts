import type { Millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import {
  capabilities,
  EcstreamClient,
  type EcstreamClientEvent,
  type EcstreamClientSettings,
  mechanisms,
} from '../ecstream/index.ts';
import { authFailed, clientAuthReplies, type Reply, reply } from '../smtp/index.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import {
  outboundSmtpAuthInsecure,
  outboundSmtpAuthPass,
  outboundSmtpAuthType,
  outboundSmtpAuthUser,
} from './options.ts';
import { complainOnce } from './stream-complaint.ts';

const NOT_SET = reply(451, '4.7.0', '[internal] the peer wants a login, and Outbound_SMTP_Auth_Type is not set');
/** An access token is no password: whoever is at the other end of PLAIN has no use for it. */
const NO_TOKENS = reply(451, '4.7.6', '[internal] AUTH required but ECStream has no XOAUTH2');

/** @param due when the session has to stand */
export function streamMachine(
  { ehloName: hostName, view }: ConnectionSettings,
  encrypted: boolean,
  due: number,
  now: Millis,
): EcstreamClient {
  const wanted = capabilities.ids | capabilities.dedup;
  const login = streamLogin(view, encrypted);
  const greeting = Math.max(1, due - now);
  return new EcstreamClient(
    { name: 'impetus', hostName, capabilities: wanted, encoding: 'latin1', greeting, login },
    now,
  );
}

/** An operator hears of it. @returns what is said of the mail that waits */
export function loginTrouble(
  { by, reply: said }: Extract<EcstreamClientEvent, { kind: 'no login' }>,
  owner: Pick<ConnectionOwner<never>, 'report'>,
  settings: ConnectionSettings,
): Reply {
  // What is ours waits as it is; a login that cannot be put into a frame is a 5xx of the machine.
  const why = by === 'us' && said.code < 500 ? said : authFailed(said);
  complainOnce(owner, settings, why);
  return why;
}

/** How we log in to a peer that wants it; PLAIN and LOGIN are the same here, user and password in one frame. */
function streamLogin(view: View, encrypted: boolean): NonNullable<EcstreamClientSettings['login']> {
  const type = view.get(outboundSmtpAuthType);
  if (type === undefined) return { unusable: NOT_SET };
  const [user, pass] = [view.get(outboundSmtpAuthUser), view.get(outboundSmtpAuthPass)];
  if (user === undefined || pass === undefined) return { unusable: clientAuthReplies.incomplete };
  if (type === 'XOAUTH2') return { unusable: NO_TOKENS };
  if (!encrypted && !view.get(outboundSmtpAuthInsecure)) return { unusable: clientAuthReplies.inClear };
  return { mechanism: mechanisms.plain, response: Buffer.from(`\0${user}\0${pass}`, 'utf8') };
}
