/** The process we live in: what the shell, the terminal and the kernel's signals hand to a program. */
export interface Process {
  readonly id: number;
  readonly hostName: string;
  readonly arguments: readonly string[];
  readonly directory: string;
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
