import type { ConnectHost, Pipe } from './world.ts';

/** The machine below, as consoles print it. */
export interface System {
  readonly bits: 32 | 64;
  /** The operating system's name and release: `Linux 6.1.0`. */
  readonly release: string;
  /** As uname(1) prints it: system, host, kernel, architecture. */
  readonly uname: string;
}

/** Bytes: what this process occupies, and what it may occupy at most (0: nobody knows). */
export interface MemoryUse {
  readonly used: number;
  readonly limit: number;
}

/** Other programs of the machine. */
export interface Programs {
  /**
   * Starts one, whose standard input and output are the pipe; its errors go where ours do. A failure arrives as
   * `host.closed(why)`.
   *
   * @param words  its arguments, which no shell sees
   */
  pipe(program: string, words: readonly string[], host: ConnectHost): Pipe;
}

/** The process we live in: what the shell, the terminal and the kernel's signals hand to a program. */
export interface Process {
  readonly id: number;
  readonly hostName: string;
  readonly system: System;
  readonly arguments: readonly string[];
  readonly directory: string;
  memory(): MemoryUse;
  readonly isTerminal: { readonly input: boolean; readonly output: boolean };
  environment(name: string): string | undefined;
  /** Standard output and standard error. */
  say(text: string): void;
  complain(text: string): void;
  /** Standard input, as chunks, until its end. */
  input(): AsyncIterable<Uint8Array>;
  onSignal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2', run: () => void): Disposable;
  exit(code: number): never;
}
