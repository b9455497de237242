import { type ChildProcess, spawn } from 'node:child_process';
import type { Segments } from '../../base/index.ts';
import type { Programs } from '../process.ts';
import { type ConnectHost, NetworkError, type PeerAddress, type Pipe, TlsError } from '../world.ts';

/** The programs of the system. */
export const nodePrograms: Programs = {
  pipe(program, words, host) {
    return new ProgramPipe(program, words, host);
  },
};

/** The standard input and output of a program, as one connection. */
class ProgramPipe implements Pipe {
  readonly remote: PeerAddress = { ip: '', port: 0 };
  readonly local: PeerAddress = { ip: '', port: 0 };
  readonly #program: string;
  /** Undefined when it could not be started. */
  readonly #child: ChildProcess | undefined;
  readonly #host: ConnectHost;
  #over = false;
  #ours = false;

  constructor(program: string, words: readonly string[], host: ConnectHost) {
    this.#program = program;
    this.#host = host;
    const failed = (error: NodeJS.ErrnoException): void =>
      this.#closed(new NetworkError(error.code ?? 'ESPAWN', `${program} cannot be started: ${error.message}`));
    try {
      this.#child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    } catch (error) {
      // Most troubles come as an event, some at once. The host hears of all of them afterwards.
      setImmediate(() => failed(error as NodeJS.ErrnoException));
      return;
    }
    const child = this.#child;
    child.once('spawn', () => host.opened());
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.#over) host.data(chunk);
    });
    child.stdin?.on('drain', () => {
      if (!this.#over) host.drained();
    });
    // It has closed its input: how it ended says the rest.
    child.stdin?.on('error', () => undefined);
    child.once('error', failed);
    child.once('close', (code, signal) => this.#closed(this.#failure(code, signal)));
  }

  write(bytes: Segments): boolean {
    let room = true;
    for (const each of bytes) room = this.#child?.stdin?.write(each) !== false;
    return room;
  }

  pause(): void {
    this.#child?.stdout?.pause();
  }

  resume(): void {
    this.#child?.stdout?.resume();
  }

  /** What a program carries is its own business: whoever wants TLS there has it from the program. */
  secure(): void {
    this.#closed(new TlsError('the standard input and output of a program carry no TLS'));
    this.#child?.kill();
  }

  end(): void {
    this.#ours = true;
    this.#child?.stdin?.end();
  }

  destroy(): void {
    this.#ours = true;
    this.#child?.kill();
  }

  #failure(code: number | null, signal: NodeJS.Signals | null): NetworkError | undefined {
    if (this.#ours || code === 0) return undefined;
    return new NetworkError('EPIPE', `${this.#program} ended with ${code === null ? signal : `code ${code}`}`);
  }

  #closed(why: NetworkError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.closed(why);
  }
}
