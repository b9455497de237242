import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configCommand, configSession, type LiveConfiguration, loadConfiguration } from '../../src/config/index.ts';
import type { Events } from '../../src/events/index.ts';
import { type Listeners, listeners } from '../../src/listener/index.ts';
import type { Pipe, PipeHost } from '../../src/world/index.ts';
import { nodeWorld } from '../../src/world/node/index.ts';
import { freePort } from '../end-to-end/harness.ts';
import { declared } from '../support/listening.ts';

/** A configuration file and its listeners on real sockets. Whoever is served is told `hello`, and gets back what it says. */
class House implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'listen-'));
  readonly lines: string[] = [];
  configuration!: LiveConfiguration;
  doors!: Listeners;
  readonly #world = nodeWorld();
  readonly #file = join(this.folder, 'impetus.conf');
  readonly #clients: Socket[] = [];

  async start(text: string): Promise<void> {
    writeFileSync(this.#file, text);
    const { clock, disk, network } = this.#world;
    this.configuration = await loadConfiguration({
      disk,
      clock,
      file: this.#file,
      searchPath: [],
      declared,
      modules: [],
    });
    const events: Events = {
      record: () => undefined,
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      diagnose: (level, _module, line) => void this.lines.push(`${level} ${line}`),
    };
    const echo = (pipe: Pipe, { ended }: { readonly ended: () => void }): PipeHost => {
      clock.defer(() => void pipe.write([Buffer.from('hello')]));
      return { data: (chunk) => void pipe.write([chunk]), drained: () => undefined, closed: ended };
    };
    this.doors = listeners({
      network,
      clock,
      configuration: this.configuration,
      events,
      handlers: { esmtp_listener: echo, control_listener: echo },
      control: { kind: 'unix', path: join(this.folder, 'control') },
    });
    await this.doors.open();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async reload(text: string): Promise<void> {
    writeFileSync(this.#file, text);
    await this.configuration.reload();
    await this.#settled();
  }

  async config(line: string): Promise<void> {
    expect((await configCommand(this.configuration, configSession(), line)).ok).toBe(true);
    await this.#settled();
  }

  /** What a reload leaves to do is done before the next one begins. */
  async #settled(): Promise<void> {
    await new Promise<void>((resolve) => this.#world.clock.defer(resolve));
  }

  /** @returns a client that was greeted, or the code of why not */
  client(to: string | number, host = '127.0.0.1'): Promise<Talk | string> {
    const socket = typeof to === 'string' ? connect(to) : connect(to, host);
    this.#clients.push(socket);
    return new Promise((resolve) => {
      socket.once('data', () => resolve(new Talk(socket)));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '?'));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.doors.close();
    for (const socket of this.#clients) socket.destroy();
    rmSync(this.folder, { recursive: true });
  }
}

class Talk {
  readonly #socket: Socket;
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
  }
  /** @returns what comes back: the same, as long as the session lives */
  says(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.#socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      this.#socket.once('close', () => resolve('closed'));
      this.#socket.write(text);
    });
  }
}

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => house[Symbol.asyncDispose]());

const alive = async (...clients: readonly (Talk | string)[]): Promise<string[]> =>
  Promise.all(clients.map(async (client) => (typeof client === 'string' ? client : client.says('there?'))));

test('from 127.0.0.1 to * and back in one reload each, while the sessions of both live on', async () => {
  const port = await freePort();
  const of = (at: string): string => `ESMTP_Listener { Listen "${at}:${port}" { } }`;
  await house.start(of('127.0.0.1'));
  const first = await house.client(port);
  expect(await house.client(port, '127.0.0.9')).toBe('ECONNREFUSED');
  await house.reload(of('*'));
  const second = await house.client(port, '127.0.0.9');
  await house.reload(of('127.0.0.1'));
  expect(await house.client(port, '127.0.0.9')).toBe('ECONNREFUSED');
  const third = await house.client(port);
  expect(await alive(first, second, third)).toEqual(['there?', 'there?', 'there?']);
  expect(house.lines).toEqual([]);
});

test('the wildcards of IPv4 and IPv6 stand side by side on one port, and each takes its own', async () => {
  const port = await freePort();
  await house.start(`ESMTP_Listener { Listen "*:${port}" { } Listen "[*]:${port}" { } }`);
  expect(await alive(await house.client(port), await house.client(port, '::1'))).toEqual(['there?', 'there?']);
  await house.config(`set esmtp_listener listen "[*]:${port}" enable false`);
  expect(await house.client(port, '::1')).toBe('ECONNREFUSED');
  expect(await alive(await house.client(port))).toEqual(['there?']);
});

test('config set … enable stops and starts one socket; its sessions and the other socket do not notice', async () => {
  const [port, other] = [await freePort(), await freePort()];
  await house.start(`ESMTP_Listener { Listen ":${port}" { } Listen ":${other}" { } }`);
  const session = await house.client(port);
  await house.config(`set esmtp_listener listen :${port} enable false`);
  expect(await house.client(port)).toBe('ECONNREFUSED');
  expect(await alive(session, await house.client(other))).toEqual(['there?', 'there?']);
  await house.config(`set esmtp_listener listen *:${port} enable true`);
  expect(await alive(session, await house.client(port))).toEqual(['there?', 'there?']);
});

test('a Unix socket has its mode at once and after each change, is the same socket, and goes when it is closed', async () => {
  const path = house.path('in.sock');
  const of = (mode: string): string => `ESMTP_Listener { Listen "${path}" { File_Mode = ${mode} } }`;
  await house.start(of('0600'));
  const { ino, mode } = statSync(path);
  expect(mode & 0o777).toBe(0o600);
  const session = await house.client(path);
  await house.reload(of('0666'));
  expect([statSync(path).mode & 0o777, statSync(path).ino]).toEqual([0o666, ino]);
  expect(await alive(session, await house.client(path))).toEqual(['there?', 'there?']);
  await house.config(`set esmtp_listener listen ${path} enable false`);
  expect(existsSync(path)).toBe(false);
  expect(await alive(session)).toEqual(['there?']);
});

test('a dead Unix socket is replaced; one with a living server, and a plain file, are refused and left alone', async () => {
  const path = house.path('stale.sock');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore', timeout: 10_000 })).toThrow();
  await house.start(`ESMTP_Listener { Listen "${path}" { } }`);
  expect(await alive(await house.client(path))).toEqual(['there?']);
  const held = house.path('held.sock');
  const living = createServer();
  await new Promise<void>((resolve) => living.listen(held, resolve));
  const file = house.path('file');
  writeFileSync(file, 'precious');
  for (const [at, why] of [
    [held, 'in use'],
    [file, 'not a socket'],
  ] as const) {
    await expect(house.reload(`ESMTP_Listener { Listen "${path}" { } Listen "${at}" { } }`)).rejects.toThrow(
      `cannot bind ${at}: ${why}`,
    );
    expect(existsSync(at)).toBe(true);
  }
  living.close();
  expect(await alive(await house.client(path))).toEqual(['there?']);
});

test('a reload that cannot open a port of somebody else changes nothing, and names it', async () => {
  const [port, taken] = [await freePort(), await freePort()];
  const somebody = createServer();
  await new Promise<void>((resolve) => somebody.listen(taken, '127.0.0.1', resolve));
  await house.start(`ESMTP_Listener { Listen "127.0.0.1:${port}" { } }`);
  await expect(
    house.reload(`ESMTP_Listener { Listen "*:${port}" { } Listen "127.0.0.1:${taken}" { } }`),
  ).rejects.toThrow(`cannot bind 127.0.0.1:${taken}: address already in use`);
  expect(await alive(await house.client(port))).toEqual(['there?']);
  expect(await house.client(port, '127.0.0.9')).toBe('ECONNREFUSED');
  // The other way about: the address goes first, and comes back when the wildcard of another port fails.
  await expect(house.reload(`ESMTP_Listener { Listen "*:${port}" { } Listen "*:${taken}" { } }`)).rejects.toThrow(
    `cannot bind 0.0.0.0:${taken}: address already in use`,
  );
  expect(await house.client(port, '127.0.0.9')).toBe('ECONNREFUSED');
  expect(await alive(await house.client(port))).toEqual(['there?']);
  somebody.close();
  expect(house.lines).toEqual([]);
});

test('an address beside its wildcard is refused by the system, and the error names both', async () => {
  const port = await freePort();
  await house.start(`ESMTP_Listener { Listen "127.0.0.1:${port}" { } }`);
  await expect(
    house.reload(`ESMTP_Listener { Listen "127.0.0.1:${port}" { } Listen "*:${port}" { } }`),
  ).rejects.toThrow(`cannot bind 0.0.0.0:${port}: *:${port} overlaps 127.0.0.1:${port}`);
  expect(await alive(await house.client(port))).toEqual(['there?']);
});
