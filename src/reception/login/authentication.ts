import { enableAuthentication, forcedOutcome } from '../../auth/index.ts';
import type { View } from '../../config/index.ts';
import { smtpExtensions } from '../options.ts';

const ANONYMOUS = 'ALWAYS-ALLOW';

/** The extension of that name: who connects counts as a user without a login (manual page smtp_extensions). */
export function admitAnonymous(view: View, connectionContext: Record<string, string>): void {
  if (view.get(smtpExtensions)?.includes(ANONYMOUS) !== true || connectionContext.auth_status === 'pass') return;
  Object.assign(connectionContext, {
    auth_name: ANONYMOUS,
    auth_user: 'anonymous',
    auth_status: 'pass',
    can_relay: 'true',
  });
}

/** Undoes it, for a client that becomes another. */
export function forgetAnonymous(connectionContext: Record<string, string>): void {
  if (connectionContext.auth_name !== ANONYMOUS) return;
  for (const name of AUTH_VARIABLES) delete connectionContext[name];
}

/** What a login leaves in the connection's dictionary. */
export const AUTH_VARIABLES = ['auth_name', 'auth_user', 'auth_status'] as const;

/**
 * Whether a client must log in before it may send: `Enable_Authentication` says so, and neither `Always_Allow` nor the
 * right to relay, which is stronger than any login, makes up for it.
 */
export function mustAuthenticate(
  view: View,
  {
    mayRelay,
    connectionContext,
  }: { readonly mayRelay: boolean; readonly connectionContext: Readonly<Record<string, string>> },
): boolean {
  if (view.get(enableAuthentication) !== true || mayRelay || connectionContext.auth_status === 'pass') return false;
  return forcedOutcome(view) !== 'granted';
}
