import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postfix } from '../../bench/load/postfix.ts';
import { eventually, freePort } from '../end-to-end/harness.ts';

/** A whole Postfix with its own queue beside whatever the machine has; it relays everything to one port. Root only. */
export class PostfixServer implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #words: readonly string[];

  private constructor(port: number, directory: string, words: readonly string[]) {
    this.port = port;
    this.#directory = directory;
    this.#words = words;
  }

  /** @param sink  the port that it relays to @param more  lines for main.cf, which win */
  static async start(sink: number, more = ''): Promise<PostfixServer> {
    const port = await freePort();
    // No blanks in it: main.cf has no quotes.
    const directory = mkdtempSync(join(tmpdir(), 'impetus-postfix-'));
    execFileSync('chmod', ['755', directory]);
    const { words } = await postfix.prepare({ directory, port, sink, mode: 'relay' });
    const log = join(directory, 'log');
    mkdirSync(log);
    const main = join(directory, 'etc/main.cf');
    writeFileSync(
      main,
      `${readFileSync(main, 'utf8')}maillog_file = ${log}/mail.log\nmaillog_file_prefixes = ${directory}\n${more}`,
    );
    execFileSync(words[0] ?? '', words.slice(1), { stdio: 'ignore', timeout: 30_000 });
    const server = new PostfixServer(port, directory, words);
    await eventually('postfix is up', () => server.log.includes('daemon started'));
    return server;
  }

  get log(): string {
    try {
      return readFileSync(join(this.#directory, 'log/mail.log'), 'utf8');
    } catch {
      return '';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    execFileSync(this.#words[0] ?? '', [...this.#words.slice(1, -1), 'stop'], { stdio: 'ignore', timeout: 30_000 });
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
