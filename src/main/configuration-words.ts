import { type LiveConfiguration, restartText } from '../config/index.ts';
import type { Events } from '../events/index.ts';

/** Settings that change nothing are counted in the log: the check says which. */
export function tellUnserved({ notImplemented }: LiveConfiguration, events: Events): void {
  const { length } = notImplemented;
  if (length === 0) return;
  const settings = length === 1 ? '1 setting is' : `${length} settings are`;
  events.diagnose('WARNING', 'config', `${settings} accepted and not implemented yet: impetus check names them`);
}

/** What a signal had done to the configuration, for those who had no console to ask. */
export async function reloadBySignal(configuration: LiveConfiguration, events: Events): Promise<void> {
  try {
    const { number } = await configuration.reload(undefined, 'SIGHUP');
    events.diagnose('NOTICE', 'config', `reloaded, generation ${number}`);
    const warnings = configuration.notices.filter(({ kind }) => kind === 'warning');
    for (const { line } of warnings.slice(0, MOST_WARNINGS)) events.diagnose('WARNING', 'config', line);
    const more = warnings.length - MOST_WARNINGS;
    if (more > 0) events.diagnose('WARNING', 'config', `and ${more} more warnings: impetus check has them`);
    for (const name of await configuration.pending(configuration.current.tree))
      events.diagnose('WARNING', 'config', restartText(name));
    tellUnserved(configuration, events);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    events.diagnose('ERROR', 'config', `Reconfigure failed: ${why}`);
  }
}

const MOST_WARNINGS = 20;
