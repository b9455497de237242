import type { ServerWord } from '../smtp/index.ts';
import type { TlsContext } from '../world/index.ts';
import type { Settings } from './settings.ts';

/** Who carries what is said to the machine and the pipe. */
export interface Speaker {
  say(turn: number, word: ServerWord): void;
  /** False when the client has gone, or somebody else has answered. */
  awaits(turn: number): boolean;
  /** The spool is behind: nothing more is to be read until `resume`. */
  pause(): void;
  readonly resume: () => void;
  /** The configuration has moved, and nothing that this client sees. */
  adopt(settings: Settings): void;
  readonly early: boolean;
  preface(lines: readonly string[]): void;
  /** Says so, and then has the pipe secured. */
  startTls(turn: number, word: ServerWord, context: TlsContext): void;
}
