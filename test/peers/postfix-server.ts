import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '../end-to-end/harness.ts';

/** A whole Postfix in a folder of its own: takes mail on a port of loopback. Only root can start one. */
export class Postfix implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #program: string;

  private constructor(program: string, port: number, folder: string) {
    this.#program = program;
    this.port = port;
    this.folder = folder;
  }

  /** @param options  lines of its main.cf, made from its folder */
  static async start(program: string, options: (folder: string) => readonly string[]): Promise<Postfix> {
    const port = await freePort();
    // Its own users must come in, and it takes no blanks in paths.
    const folder = mkdtempSync(join(tmpdir(), 'impetus-postfix-'));
    chmodSync(folder, 0o755);
    const file = (name: string, lines: readonly string[]): void =>
      writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
    mkdirSync(join(folder, 'queue'));
    file('main.cf', [
      'compatibility_level = 3.6',
      `queue_directory = ${folder}/queue`,
      `data_directory = ${folder}/data`,
      'myhostname = postfix.test',
      'mydestination =',
      'alias_maps =',
      'local_recipient_maps =',
      'inet_interfaces = 127.0.0.1',
      'inet_protocols = ipv4',
      'mynetworks = 127.0.0.0/8',
      'smtpd_relay_restrictions = permit_mynetworks, reject',
      `maillog_file = ${folder}/log`,
      `maillog_file_prefixes = ${folder}`,
      ...options(folder),
    ]);
    file('master.cf', [
      `127.0.0.1:${port} inet n - n - - smtpd`,
      ...['bounce', 'defer', 'trace', 'verify', 'proxymap', 'smtp', 'error', 'retry', 'discard', 'anvil', 'scache'].map(
        (name) => `${name} unix - - n - - ${SERVED_BY[name] ?? name}`,
      ),
      'cleanup unix n - n - 0 cleanup',
      'rewrite unix - - n - - trivial-rewrite',
      'qmgr unix n - n 300 1 qmgr',
      'tlsmgr unix - - n 1000? 1 tlsmgr',
      'postlog unix-dgram n - n - 1 postlogd',
    ]);
    const postfix = new Postfix(program, port, folder);
    try {
      execFileSync(program, ['-c', folder, 'start'], { stdio: 'ignore', timeout: 20_000 });
      await eventually('Postfix runs', () => postfix.log.includes('daemon started'), 10_000);
    } catch (error) {
      await postfix[Symbol.asyncDispose]();
      throw error;
    }
    return postfix;
  }

  get log(): string {
    try {
      return readFileSync(join(this.folder, 'log'), 'utf8');
    } catch {
      return '';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      execFileSync(this.#program, ['-c', this.folder, 'stop'], { stdio: 'ignore', timeout: 20_000 });
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

const SERVED_BY: Readonly<Record<string, string>> = { defer: 'bounce', trace: 'bounce', retry: 'error' };
