import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout whose programs are run. */
export const home = fileURLToPath(new URL('../..', import.meta.url));

/** A folder of its own for one test; a blank in its name is part of the test. */
export class Scratch implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'impetus test '));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * A port of 127.0.0.1 that nobody listened on a moment ago, and that no other test was given. It lies below those that
 * the system takes for outgoing connections: one of them could have it by the time somebody listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}
const given = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .on('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * Waits for something that other processes bring about: there is no clock to advance there, so it looks again and again.
 *
 * @param look  undefined or false while it is not so yet
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  most = 20_000,
): Promise<T> {
  const end = performance.now() + most;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${most / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A program under bin/, running. */
export class Running implements AsyncDisposable {
  output = '';
  errors = '';
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  #over = false;

  constructor(command: string, words: readonly string[], input?: string) {
    this.#child = spawn(command, words, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      cwd: tmpdir(),
    });
    this.#child.stdin?.end(input);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject).on('close', (code) => {
        this.#over = true;
        resolve({ code, output: this.output, errors: this.errors });
      });
    });
  }

  get over(): boolean {
    return this.#over;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** Runs a program under bin/ to its end. */
export async function run(program: string, words: readonly string[], input?: string): Promise<Ended> {
  return new Running(join(home, 'bin', program), words, input).ended;
}

/** One line of `impetus sink --log`. */
export interface Arrived {
  readonly verdict: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly bytes: number;
  readonly subject: string;
}

/** A sink in a process of its own. */
export class SinkProcess implements AsyncDisposable {
  readonly port: number;
  readonly #running: Running;
  #parsed = 0;
  readonly #arrived: Arrived[] = [];

  private constructor(port: number, running: Running) {
    this.port = port;
    this.#running = running;
  }

  static async start(...options: readonly string[]): Promise<SinkProcess> {
    const port = await freePort();
    const running = new Running(join(home, 'bin/impetus'), [
      'sink',
      '--listen',
      `127.0.0.1:${port}`,
      '--log',
      ...options,
    ]);
    await answers(port, running);
    return new SinkProcess(port, running);
  }

  /** Every message that it took or turned down after the dot, and every recipient it refused, in order. */
  get arrived(): readonly Arrived[] {
    const end = this.#running.output.lastIndexOf('\n') + 1;
    const lines = this.#running.output.slice(this.#parsed, end).split('\n');
    this.#parsed = end;
    for (const line of lines) {
      const parts =
        /^\S+ (accepted|deferred|refused|dropped) from=<([^>]*)> to=(\S*) bytes=(\d+) reply="[^"]*" subject="(.*)"$/.exec(
          line,
        );
      if (parts === null) continue;
      const to = (parts[3] ?? '').split(',').map((path) => path.slice(1, -1));
      this.#arrived.push({
        verdict: parts[1] ?? '',
        from: parts[2] ?? '',
        to,
        bytes: Number(parts[4]),
        subject: parts[5] ?? '',
      });
    }
    return this.#arrived;
  }

  /** @returns the accepted ones for that recipient */
  accepted(recipient: string): readonly Arrived[] {
    return this.arrived.filter((message) => message.verdict === 'accepted' && message.to.includes(recipient));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}

/** A line of the mainlog: `@` parts the fields, the kind stands at offset 4. */
export interface LogLine {
  readonly kind: string;
  readonly fields: readonly string[];
}

export interface ServerSettings {
  /** A folder that survives restarts of the server. */
  readonly directory: string;
  /** Where mail goes: the port of a sink. */
  readonly sink: number;
  /** Lines that are put behind those of the harness, so they win. */
  readonly more?: string;
  /** Stands before the launcher, as `unshare -m`. */
  readonly wrapper?: readonly string[];
}

/** `bin/impetus start -c FILE` with a spool, logs and sockets of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  readonly control: string;
  readonly #settings: ServerSettings;
  #running: Running;

  private constructor(settings: ServerSettings, port: number) {
    this.#settings = settings;
    this.port = port;
    this.directory = settings.directory;
    this.control = join(settings.directory, 'control');
    this.configure(settings.more ?? '');
    this.#running = this.#launch();
  }

  static async start(settings: ServerSettings): Promise<ServerProcess> {
    await mkdir(join(settings.directory, 'log'), { recursive: true });
    const server = new ServerProcess(settings, await freePort());
    try {
      await answers(server.port, server.#running);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get file(): string {
    return join(this.directory, 'impetus.conf');
  }

  /** The process that runs now, or ran last. */
  get process(): Running {
    return this.#running;
  }

  /** Writes the configuration file anew; a running server is not told. */
  configure(more: string): void {
    writeFileSync(
      this.file,
      `
Spoolbase = "${join(this.directory, 'spool')}"
Hostname = "impetus.test"
Relay_Hosts = ( 127.0.0.0/8 )
Gateway = "127.0.0.1"
Remote_SMTP_Port = ${this.#settings.sink}
ESMTP_Listener { SMTP_Extensions = ( "ENHANCEDSTATUSCODES" ) Listen "127.0.0.1:${this.port}" { } }
Control_Listener { Listen "${this.control}" { } }
ec_logger {
  mainlog = "${join(this.directory, 'log/mainlog.ec')}"
  rejectlog = "${join(this.directory, 'log/rejectlog.ec')}"
  paniclog = "${join(this.directory, 'log/paniclog.ec')}"
  acctlog = "${join(this.directory, 'log/acctlog.ec')}"
}
bounce_logger { bouncelog = "${join(this.directory, 'log/bouncelog.ec')}" }
${more}
`,
    );
  }

  /** Starts it again after it has ended. */
  async restart(): Promise<void> {
    await this.#running.ended;
    this.#running = this.#launch();
    await answers(this.port, this.#running);
  }

  async kill(): Promise<void> {
    this.#running.signal('SIGKILL');
    await this.#running.ended;
  }

  /** SIGTERM, and the end of it. */
  async stop(): Promise<Ended> {
    this.#running.signal('SIGTERM');
    return this.#running.ended;
  }

  async log(name: 'mainlog' | 'rejectlog' | 'paniclog' | 'acctlog' | 'bouncelog'): Promise<string> {
    try {
      return await readFile(join(this.directory, `log/${name}.ec`), 'utf8');
    } catch {
      return '';
    }
  }

  /** Lines of the mainlog that are not heartbeats. */
  async mainlog(): Promise<readonly LogLine[]> {
    const lines = (await this.log('mainlog')).split('\n').filter((line) => line !== '');
    return lines
      .map((line) => line.split('@'))
      .map((fields) => ({ kind: fields[4] ?? '', fields }))
      .filter(({ kind }) => kind !== 'M1');
  }

  /** Waits for a line of that kind with that message id. */
  async logged(kind: string, id?: string): Promise<LogLine> {
    return eventually(`${kind} in the mainlog`, async () =>
      (await this.mainlog()).find((line) => line.kind === kind && (id === undefined || line.fields[1] === id)),
    );
  }

  console(...words: readonly string[]): Promise<Ended> {
    return run('ec_console', [this.control, ...words]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }

  #launch(): Running {
    const [command = '', ...words] = [
      ...(this.#settings.wrapper ?? []),
      join(home, 'bin/impetus'),
      'start',
      '-c',
      this.file,
    ];
    return new Running(command, words);
  }
}

/** Waits until something greets at that port. */
async function answers(port: number, running: Running): Promise<void> {
  await eventually(`a greeting at port ${port}`, () => {
    if (running.over) throw new Error(`it ended before it was ready: ${running.errors}${running.output}`);
    return new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1');
      socket.on('error', () => resolve(false));
      socket.once('data', (data) => {
        socket.end('QUIT\r\n');
        resolve(data.toString('latin1').startsWith('220'));
      });
    });
  });
}

/** Whether somebody listens there. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket
      .on('error', () => resolve(false))
      .on('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });
}
