import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { eventually, freePort, listens, Running } from '../end-to-end/harness.ts';

const places = [
  '/usr/sbin',
  '/usr/bin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
];

/** @returns the path of a stock program, undefined when it is not on this machine */
export function find(program: string): string | undefined {
  return [...(process.env.PATH ?? '').split(':'), ...places]
    .map((place) => `${place}/${program}`)
    .find((path) => existsSync(path));
}

/**
 * The path of a stock program. Where it is missing, root on Debian installs it, and it is an error when that fails; any
 * other user cannot, and the test says that it did not run.
 */
export function need(context: TestContext, program: string, complete: () => boolean = () => true): string {
  const found = find(program);
  if (found !== undefined && complete()) return found;
  if (process.getuid?.() !== 0 || find('apt-get') === undefined) {
    context.skip(`${program} is not on this machine, and only root on Debian can install it (test/peers/install.sh)`);
  }
  execFileSync('sh', [fileURLToPath(new URL('install.sh', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 300_000,
  });
  const installed = find(program);
  if (installed === undefined) throw new Error(`test/peers/install.sh did not bring ${program}`);
  return installed;
}

/** Postfix's smtp-sink, counting. */
export class SmtpSink implements AsyncDisposable {
  readonly port: number;
  readonly #running: Running;

  private constructor(port: number, running: Running) {
    this.port = port;
    this.#running = running;
  }

  /** @param options  as its manual page has them: `-f rcpt` refuses, `-r rcpt` defers, `-q data` hangs up */
  static async start(program: string, ...options: readonly string[]): Promise<SmtpSink> {
    const port = await freePort();
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    const running = new Running(program, [...user, '-c', '-m', '500', ...options, `127.0.0.1:${port}`, '500']);
    await eventually('smtp-sink listens', () => {
      if (running.over) throw new Error(`smtp-sink ended: ${running.errors}`);
      return listens(port);
    });
    return new SmtpSink(port, running);
  }

  /** Messages it has taken. */
  get messages(): number {
    const counts = [...this.#running.output.matchAll(/mesg=\s*(\d+)/g)];
    return Number(counts.at(-1)?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}
