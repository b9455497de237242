import type { RejectionEvent } from '../../events/index.ts';
import { escapeControls } from '../log-text.ts';

/**
 * A rejection. R, L, C, PATH, PATH_GRP and P are always quoted, E and M never; context values only when they must be.
 *
 * @param redacted context keys, lower case, whose values are not for a log
 */
export function rejectionLine(event: RejectionEvent, stamp: string, redacted: ReadonlySet<string>): string {
  const { code, enhanced, text } = event.reply;
  const words = enhanced === undefined ? text : `${enhanced} ${text}`;
  return (
    `${stamp}: R=${quoted(event.remote)} L=${quoted(event.local)} C=${quoted(event.connectionId)} PATH=${quoted(event.pathway)}` +
    ` PATH_GRP=${quoted(event.pathwayGroup)} P=${quoted(event.phase)} E=${code} M=${escapeControls(event.module)}` +
    ` CTXCONN=[${dictionary(event.connectionContext, redacted)}] CTXMESS=[${dictionary(event.messageContext, redacted)}]` +
    ` ${escapeControls(words)}`
  );
}

export const rejectHeartbeatLine = (stamp: string): string => `${stamp}: Marker 1`;

function dictionary(entries: Readonly<Record<string, string>>, redacted: ReadonlySet<string>): string {
  let text = '';
  for (const key of Object.keys(entries)) {
    const value = redacted.has(key.toLowerCase()) ? '***' : whenNeeded(entries[key] ?? '');
    text += `${text === '' ? '' : ','}${whenNeeded(key)}=${value}`;
  }
  return text;
}

const needsQuotes = /[ ,"=[\]]/;
const insideQuotes = /["\\]/g;

const whenNeeded = (text: string): string => (needsQuotes.test(text) ? quoted(text) : escapeControls(text));
const quoted = (text: string): string => `"${escapeControls(text.replace(insideQuotes, '\\$&'))}"`;
