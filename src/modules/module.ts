import type { Option, View } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import type { Hook, Phases } from '../policy/index.ts';
import type { Clock, Disk } from '../world/index.ts';

/** What a bundled module is to the house. Definitions are read before the configuration, so that their options join its schema. */
export interface ModuleDefinition {
  /** The name of its stanza: `ec_logger`. */
  readonly name: string;
  readonly instances: 'singleton' | 'named';
  /** What may stand inside its stanza. */
  readonly options: readonly Option<unknown>[];
  /**
   * Begins to work, before the call returns. Disposal ends that at once, before its promise resolves, so that an old and
   * a new instance can be swapped within one turn without an event heard twice or by nobody.
   *
   * @param view values of the stanza of this instance
   * @throws Error when the values cannot be worked with: vetoes the commit, and its message is for the operator
   */
  start(host: ModuleHost, view: View): AsyncDisposable;
}

/** The house as one instance of a module sees it. */
export interface ModuleHost {
  /** Name of the instance; a singleton's is empty. */
  readonly instance: string;
  /** Heard from the moment on when the configuration with this instance is current, and no longer than that. */
  readonly events: Events;
  readonly clock: Clock;
  readonly disk: Disk;
  /** Global values of the generation the instance is started with. */
  readonly global: View;
  /**
   * A console command of this instance: `reopen logs` is typed as `ec_logger:NAME reopen logs`.
   *
   * @param run given the words behind those of the command; yields the lines of the answer, and returns `failed` when it
   *   did not do what it was asked for
   */
  command(words: string, run: (rest: readonly string[]) => AsyncIterable<string, unknown>): Disposable;
  /**
   * A hook of this module in a phase. It is asked from the moment on when the configuration with this instance is current,
   * and no longer than that; `__bypass_MODULE = true` passes it over.
   */
  hook<P extends keyof Phases>(phase: P, hook: Hook<P>): Disposable;
  /** Standard error, for trouble that cannot be logged. One line, without its end. */
  complain(text: string): void;
}
