import type { View } from '../config/index.ts';
import { alwaysAllow, alwaysDeny, enableAuthentication } from './options.ts';

/**
 * What `Always_Allow` and `Always_Deny` make of logging in, before anybody is asked for a name: it has succeeded or
 * failed, whatever the client says. `Always_Deny` wins.
 *
 * @returns undefined when the client has to show who it is
 * @see manual page control-auth, overriding authentication
 */
export function forcedAuthentication(view: View): 'succeeded' | 'failed' | undefined {
  if (view.get(alwaysDeny)) return 'failed';
  return view.get(alwaysAllow) ? 'succeeded' : undefined;
}

/**
 * Whether a client must log in before it may send: `Enable_Authentication` says so, and neither `Always_Allow` nor the
 * right to relay, which is stronger than any login, makes up for it.
 */
export function mustAuthenticate(view: View, mayRelay: boolean): boolean {
  return view.get(enableAuthentication) === true && !mayRelay && forcedAuthentication(view) !== 'succeeded';
}
