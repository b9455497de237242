import type { Caller } from './authorization.ts';
import type { ConfigSession, House } from './house.ts';

/** One console command, or one family under the same first words. Help is printed from these. */
export interface Command {
  /** What a line must begin with: `binding summary`. The longest match wins. */
  readonly words: string;
  /** One line for `help`. */
  readonly summary: string;
  /** `showqueue [binding B|all] DOMAIN [limit,offset]`, one line for each form. */
  readonly usage: string;
  run(call: Call): Output;
  /** What `run` prints is XML already: `xml COMMAND` is the same. */
  readonly isXml?: true;
  /** The same as data, for `json COMMAND`; undefined when the arguments are not understood. */
  json?(call: Call): unknown;
}

export interface Call {
  readonly house: House;
  /** Arguments behind the command's own words, quotes removed. */
  readonly rest: readonly string[];
  /** The same as typed. */
  readonly text: string;
  /** The console's own configuration session. */
  readonly config: ConfigSession;
  /** Everything that `help` lists. */
  readonly commands: readonly Command[];
  readonly caller: Caller;
}

/**
 * Text is UTF-8 on the wire, bytes go out as they are. A long listing yields line by line and is only asked for more
 * when the console takes it; a long computation yields an empty string now and then, so that others get their turn.
 */
export type Piece = string | Uint8Array;

export type Output = Generator<Piece, Result> | AsyncGenerator<Piece, Result>;

/**
 * `not understood`: wrong arguments, the server prints the usual line. `unauthorized`: no role allows it. `quit`: the
 * console is to be closed.
 */
export type Result = 'ok' | 'failed' | 'usage' | 'not understood' | 'unauthorized' | 'quit';

/** Exit codes of `ec_console` for what a command may end with. */
export const exitOf = {
  ok: 0,
  failed: 1,
  usage: 2,
  'not understood': 2,
  unauthorized: 5,
  quit: 0,
} as const satisfies Record<Result, number>;
