import type { Reply } from '../smtp/index.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import type { ConnectionSettings } from './connection-settings.ts';

/** Each try finds the same again: an operator is told once, until a session stands. */
export function complainOnce(
  owner: Pick<ConnectionOwner<never>, 'report'>,
  { state, address }: ConnectionSettings,
  { text }: Reply,
): void {
  if (state.told === text) return;
  state.told = text;
  owner.report(`${address.ip}: ${text}`);
}
