import { enableAuthentication, forcedOutcome } from '../auth/index.ts';
import type { View } from '../config/index.ts';

/**
 * Whether a client must log in before it may send: `Enable_Authentication` says so, and neither `Always_Allow` nor the
 * right to relay, which is stronger than any login, makes up for it.
 */
export function mustAuthenticate(view: View, mayRelay: boolean): boolean {
  return view.get(enableAuthentication) === true && !mayRelay && forcedOutcome(view) !== 'granted';
}
