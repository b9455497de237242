import type { AccountingEvent } from '../../events/index.ts';
import { escapeDelimiters } from '../log-text.ts';

/** N, T and Z. The one log whose escaping Momentum documents: `@` and backslash have a backslash before them. */
export function accountingLine(event: AccountingEvent, stamp: string): string {
  const head =
    `${stamp}@${event.type}@${escapeDelimiters(event.listener)}@${escapeDelimiters(event.peer)}` +
    `@${escapeDelimiters(event.user)}@${event.result}`;
  if (event.type !== 'Z') return head;
  const command = `${head}@${escapeDelimiters(event.command ?? '')}`;
  return event.role === undefined ? command : `${command}@${escapeDelimiters(event.role)}`;
}
