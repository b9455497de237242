import type { MemoryUse, Process } from '../process.ts';

/** What `exit` throws in a simulated process. */
export class SimExit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export interface SimProcessSettings {
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly hostName?: string;
  readonly isTerminal?: boolean;
}

/** A process whose words are kept, and which can be sent signals. */
export class SimProcess implements Process {
  readonly id = 4242;
  readonly hostName: string;
  readonly system = { bits: 64, release: 'Simulated 1', uname: 'Simulated mx.example 1' } as const;
  readonly arguments: readonly string[];
  readonly directory = '/';
  readonly isTerminal: { readonly input: boolean; readonly output: boolean };
  /** All that was said on standard output, and on standard error. */
  said = '';
  complained = '';
  readonly #environment: Readonly<Record<string, string>>;
  readonly #input: string;
  readonly #handlers: { name: string; run: () => void }[] = [];

  constructor(settings: SimProcessSettings = {}) {
    this.arguments = settings.arguments ?? [];
    this.hostName = settings.hostName ?? 'mx.example';
    this.isTerminal = { input: settings.isTerminal ?? false, output: settings.isTerminal ?? false };
    this.#environment = settings.environment ?? {};
    this.#input = settings.input ?? '';
  }

  environment(name: string): string | undefined {
    return Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
  }

  say(text: string): void {
    this.said += text;
  }

  /** What `memory()` answers. */
  use = { used: 0, limit: 0 };

  memory(): MemoryUse {
    return this.use;
  }

  complain(text: string): void {
    this.complained += text;
  }

  async *input(): AsyncIterable<Uint8Array> {
    if (this.#input !== '') yield Buffer.from(this.#input);
  }

  onSignal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2', run: () => void): Disposable {
    const handler = { name, run };
    this.#handlers.push(handler);
    return {
      [Symbol.dispose]: () => {
        const index = this.#handlers.indexOf(handler);
        if (index !== -1) this.#handlers.splice(index, 1);
      },
    };
  }

  exit(code: number): never {
    throw new SimExit(code);
  }

  /** @returns whether somebody listened */
  signal(name: string): boolean {
    const handlers = this.#handlers.filter((handler) => handler.name === name);
    for (const { run } of handlers) run();
    return handlers.length > 0;
  }
}

export function simProcess(settings: SimProcessSettings = {}): SimProcess {
  return new SimProcess(settings);
}
