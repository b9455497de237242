import type { DiagnosticEvent, Events, Level } from './events.ts';

/** The levels of diagnostics, the least important first. */
export const levels: readonly Level[] = ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL'];

/** The last diagnostics of each level, for the console's `paniclog`. */
export interface RecentDiagnostics extends Disposable {
  /** Oldest first. */
  of(level: Level): readonly DiagnosticEvent[];
  /** Of all levels, oldest first. */
  all(): readonly DiagnosticEvent[];
}

/** @param perLevel how many of each level are kept */
export function recentDiagnostics(events: Events, perLevel = 10): RecentDiagnostics {
  let told = 0;
  // A noisy level must not push the others out, hence a list for each; the sequence joins them again.
  const kept = new Map<Level, { readonly sequence: number; readonly event: DiagnosticEvent }[]>();
  for (const level of levels) kept.set(level, []);
  const subscription = events.subscribe(['diagnostic'], (event) => {
    const list = kept.get(event.level);
    if (list === undefined) return;
    list.push({ sequence: told++, event });
    if (list.length > perLevel) list.shift();
  });
  return {
    of: (level) => (kept.get(level) ?? []).map((entry) => entry.event),
    all: () =>
      [...kept.values()]
        .flat()
        .sort((one, other) => one.sequence - other.sequence)
        .map((entry) => entry.event),
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
    },
  };
}
