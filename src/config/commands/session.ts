import type { Effects } from '../live/effects.ts';
import type { LiveConfiguration } from '../live/live-configuration.ts';
import type { Stanza } from '../tree/stanza.ts';
import type { Word } from './path.ts';

/** A transaction that is open. */
export interface Transaction {
  /** Number of the generation it began from; another live one is a conflict. */
  readonly from: number;
  readonly tree: Stanza;
  /** The `set` and `unset` lines so far. */
  readonly lines: readonly string[];
}

/** What a console session keeps between its `config` commands. */
export interface ConfigSession {
  /** Nothing may be changed from here. */
  readonly readOnly: boolean;
  /** For the history of generations: `console /run/impetus/2025`. */
  readonly who: string;
  transaction: Transaction | undefined;
}

export function configSession(options: { readonly readOnly?: boolean; readonly who?: string } = {}): ConfigSession {
  return { readOnly: options.readOnly ?? false, who: options.who ?? '', transaction: undefined };
}

/** The answer to a console command. */
export interface CommandResult {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** What a command is run with. */
export interface CommandCall {
  readonly configuration: LiveConfiguration;
  readonly session: ConfigSession;
  /** Undefined where no server runs. */
  readonly effects: Effects | undefined;
  /** The whole line, into which the offsets of the words point. */
  readonly line: string;
  /** Behind the verb. */
  readonly words: readonly Word[];
}
