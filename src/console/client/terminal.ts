import type { Millis } from '../../base/index.ts';

/** The operator's screen and keyboard. */
export interface Terminal {
  /** Lines that fit on the screen. */
  readonly rows: number;
  /** @returns a promise when the writer should wait before it writes more */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Resolves when all that was written is out. */
  flush(): Promise<void>;
  /** Whole lines, with editing and history, until the end of file. Ctrl-C while a line is typed only clears it. */
  lines(reading: Reading): AsyncIterable<string>;
  /** Asks for something that must not be seen. @returns undefined when nothing is typed but the end of file or Ctrl-C */
  secret(prompt: string): Promise<string | undefined>;
  /** Starts `$PAGER`; the terminal is the pager's until it is closed. */
  page(): Pager;
  /** `HH:MM:SS` in the operator's time zone. */
  timeOfDay(date: Millis): string;
}

export interface Reading {
  prompt(): string;
  /** @returns whole lines that what is typed so far may become */
  complete(line: string): Promise<readonly string[]>;
  /** Ctrl-C while no line is being typed. */
  interrupted(): void;
}

export interface Pager {
  /** @returns a promise when the pager is far behind */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Resolves when the operator has left the pager. */
  close(): Promise<void>;
}
