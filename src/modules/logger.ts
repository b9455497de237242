import type { Seconds } from '../base/index.ts';
import { millis } from '../base/index.ts';
import type { Option, View } from '../config/index.ts';
import type { Clock } from '../world/index.ts';
import { LogFile } from './log-file.ts';
import type { ModuleHost } from './module.ts';

/**
 * Where a logger may write: a plain path or `file:///path`.
 *
 * @throws Error for the other writers that Momentum has (syslog, jlog, cluster)
 */
export function logPath(option: string, text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return text;
  if (scheme === 'file') return text.slice('file://'.length);
  throw new Error(`${option}: ${scheme}:// is not supported; give the path of a file`);
}

/** Writes a line every so often, so that a reader can tell a quiet server from a dead one. @param every 0: never */
export function heartbeat(clock: Clock, every: Seconds, beat: () => void): Disposable {
  if (every <= 0) return { [Symbol.dispose]() {} };
  const next = (): Disposable =>
    clock.at(millis(clock.now() + every * 1000), () => {
      timer = next();
      beat();
    });
  let timer = next();
  return {
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
    },
  };
}

/** The console's `reopen logs` of one logger: answers when the new files are open. */
export function reopenCommand(host: ModuleHost, logs: readonly LogFile[]): Disposable {
  return host.command('reopen logs', async function* () {
    const outcomes = await Promise.allSettled(logs.map((log) => log.reopen()));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') yield `${logs[index]?.path ?? ''}: ${String(outcome.reason)}`;
    }
    const all = outcomes.every((outcome) => outcome.status === 'fulfilled');
    yield all ? 'logs reopened' : 'not all logs were reopened';
    return all ? 'ok' : 'failed';
  });
}

/** Opens the log that an option names, with the permission bits of its `…_mode`. */
export function openLog(host: ModuleHost, option: Option<string>, view: View, mode: number): LogFile {
  const { disk, clock } = host;
  return new LogFile({
    disk,
    clock,
    path: logPath(option.name, view.get(option)),
    mode,
    complain: (text) => host.complain(text),
  });
}
