import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '../../test/end-to-end/harness.ts';
import { find } from '../../test/peers/peers.ts';
import type { Group } from './group.ts';
import type { Workload } from './workloads.ts';

/** @throws Error that names what to do */
export function program(name: string): string {
  const path = find(name);
  if (path === undefined) throw new Error(`${name} is not on this machine: sh test/peers/install.sh brings it`);
  return path;
}

const asRoot = process.getuid?.() === 0;

/** Postfix's smtp-sink: takes everything, and counts. */
export class CountingSink implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #file: number;
  readonly #path: string;

  private constructor(port: number, child: ChildProcess, file: number, path: string) {
    this.port = port;
    this.#child = child;
    this.#file = file;
    this.#path = path;
  }

  static async start(group: Group): Promise<CountingSink> {
    const port = await freePort();
    // In memory: it writes a line with each message, and the disk is for the servers.
    const path = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `impetus-bench-sink.${port}`);
    const file = openSync(path, 'w+', 0o600);
    const user = asRoot ? ['-u', 'nobody'] : [];
    const words = [program('smtp-sink'), ...user, '-c', '-m', '2000', `127.0.0.1:${port}`, '1000'];
    const child = launch([...group.wrapper, ...words], file);
    if (child.pid !== undefined) group.add(child.pid);
    const sink = new CountingSink(port, child, file, path);
    await eventually('smtp-sink listens', () => {
      if (child.exitCode !== null) throw new Error(`smtp-sink ended with ${child.exitCode}`);
      return greets(port);
    });
    return sink;
  }

  /** Messages so far. */
  get count(): number {
    const { size } = fstatSync(this.#file);
    const tail = Buffer.alloc(Math.min(size, 200));
    readSync(this.#file, tail, 0, tail.length, size - tail.length);
    return Number([...tail.toString('latin1').matchAll(/mesg=\s*(\d+)\s/g)].at(-1)?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#child, 'SIGKILL');
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}

/** Postfix's smtp-source: sends so many messages as fast as they are taken. */
export class Source implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** How long it took, milliseconds; undefined while it runs. */
  took: number | undefined;
  errors = '';

  constructor(group: Group, port: number, workload: Workload, count: number) {
    const words = [
      program('smtp-source'),
      ...(workload.reuse ? ['-d'] : []),
      '-s',
      String(workload.sessions),
      '-l',
      String(workload.bytes),
      '-m',
      String(count),
      '-f',
      'a@src.test',
      '-t',
      'b@dst.test',
      `127.0.0.1:${port}`,
    ];
    const began = performance.now();
    this.#child = launch([...group.wrapper, ...words], 'ignore');
    if (this.#child.pid !== undefined) group.add(this.#child.pid);
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.errors += text.toString('latin1');
    });
    this.#child.on('exit', (code) => {
      this.took = performance.now() - began;
      if (code !== 0) this.errors ||= `smtp-source ended with ${code}`;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#child, 'SIGKILL');
  }
}

/** @returns whether an SMTP server says 220 there */
export function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('error', () => undefined).on('close', () => resolve(false));
    socket.once('data', (data) => {
      resolve(data.toString('latin1').startsWith('220'));
      socket.end('QUIT\r\n').on('data', () => undefined);
    });
  });
}

export function launch(words: readonly string[], output: number | 'ignore'): ChildProcess {
  const [command = '', ...rest] = words;
  return spawn(command, rest, { stdio: ['ignore', output, 'pipe'], cwd: '/' });
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill(signal);
  await over;
}
