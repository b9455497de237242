import type { DiagnosticEvent, Events, Level } from '../../events/index.ts';
import { escapeControls } from '../log-text.ts';

/** What reaches the paniclog without debug flags. */
export const isForPaniclog = (level: Level): boolean => level !== 'DEBUG' && level !== 'INFO';

/** `TS:module: text`, without a module `TS:text`. */
export const panicLine = (event: DiagnosticEvent, stamp: string): string => `${stamp}:${words(event)}`;

/**
 * For a server without a paniclog: what would stand there goes to standard error, with its level.
 *
 * @param complain one line, without its end
 */
export function standardErrorLog(events: Events, complain: (text: string) => void): Disposable {
  return events.subscribe(['diagnostic'], (event) => {
    if (isForPaniclog(event.level)) complain(`${event.level} ${words(event)}`);
  });
}

function words(event: DiagnosticEvent): string {
  return escapeControls(event.module === '' ? event.text : `${event.module}: ${event.text}`);
}
