import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Endpoint, endpointText } from '../../base/index.ts';
import type { ConnectHost, NetworkError, Pipe, PipeHost } from '../world.ts';
import { NodeClock } from './clock.ts';
import { mostDescriptors } from './listening.ts';
import { NodeNetwork } from './network.ts';

const clock = new NodeClock();
const network = new NodeNetwork(clock);
const options = { backlog: 10, fileMode: 0o600 };
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'impetus-listen-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const QUIET: PipeHost = { data: () => undefined, drained: () => undefined, closed: () => undefined };

/** Greets and keeps what it was given. */
class Server {
  readonly pipes: Pipe[] = [];
  readonly accept = (pipe: Pipe): PipeHost => {
    this.pipes.push(pipe);
    clock.defer(() => void pipe.write([Buffer.from('hello')]));
    return QUIET;
  };
}

/** A client; `over` says what it heard before the connection ended, `hello` when it was greeted. */
class Client implements ConnectHost {
  readonly #greeted = Promise.withResolvers<string>();
  readonly #over = Promise.withResolvers<string>();
  readonly pipe: Pipe;
  #heard = '';

  constructor(to: Endpoint) {
    this.pipe = network.connect(to, undefined, this);
  }
  get greeting(): Promise<string> {
    return this.#greeted.promise;
  }
  get over(): Promise<string> {
    return this.#over.promise;
  }
  opened(): void {}
  drained(): void {}
  data(chunk: Uint8Array): void {
    this.#heard += Buffer.from(chunk).toString();
    this.#greeted.resolve(this.#heard);
  }
  closed(why?: NetworkError): void {
    this.#greeted.resolve(`closed ${why?.code ?? ''}`);
    this.#over.resolve(this.#heard);
  }
}

const tcp = (ip: string, port = 0): Endpoint => ({ kind: 'tcp', ip, port });
const portOf = (at: Endpoint): number => (at.kind === 'tcp' ? at.port : 0);

/** The backlog as the kernel has it, or undefined where `ss` is not installed. */
function backlogOf(at: Endpoint): number | undefined {
  const words = at.kind === 'unix' ? ['-lxHn', 'src', at.path] : ['-ltHn', 'src', endpointText(at)];
  try {
    const fields = execFileSync('ss', words, { encoding: 'utf8' }).trim().split(/\s+/);
    return Number(fields[at.kind === 'unix' ? 3 : 2]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    console.log('ss is not installed: the backlog in the kernel is not looked at');
    return undefined;
  }
}

test.each<[string, () => Endpoint]>([
  ['a port', () => tcp('127.0.0.1')],
  ['a Unix socket', () => ({ kind: 'unix', path: join(folder, 'b.sock') })],
])('the backlog of %s is changed without closing it, and who waits in it is served', async (_, at) => {
  const server = new Server();
  await using door = await network.listen(at(), options, server.accept);
  expect(backlogOf(door.at) ?? 10).toBe(10);
  // The client is in the backlog: nothing was accepted in this turn yet.
  const waiting = new Client(door.at);
  await door.change({ ...options, backlog: 33 });
  expect(backlogOf(door.at) ?? 33).toBe(33);
  expect(await waiting.greeting).toBe('hello');
  const next = new Client(door.at);
  expect(await next.greeting).toBe('hello');
  for (const { pipe } of [waiting, next]) pipe.destroy();
  for (const pipe of server.pipes) pipe.destroy();
});

test('the mode of a Unix socket is changed in place; when that fails the socket is as before', async () => {
  const path = join(folder, 'm.sock');
  const server = new Server();
  await using door = await network.listen({ kind: 'unix', path }, options, server.accept);
  const { ino } = statSync(path);
  await door.change({ ...options, fileMode: 0o666 });
  expect([statSync(path).mode & 0o777, statSync(path).ino]).toEqual([0o666, ino]);
  unlinkSync(path);
  await expect(door.change({ backlog: 77, fileMode: 0o600 })).rejects.toMatchObject({
    code: 'ENOENT',
    message: 'no such file or directory',
  });
});

test('from an address to the wildcard and back while connections of both live on', async () => {
  const server = new Server();
  const specific = await network.listen(tcp('127.0.0.1'), options, server.accept);
  const port = portOf(specific.at);
  const first = new Client(specific.at);
  expect(await first.greeting).toBe('hello');
  await expect(network.listen(tcp('0.0.0.0', port), options, server.accept)).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: 'address already in use',
  });
  await specific[Symbol.asyncDispose]();
  const wildcard = await network.listen(tcp('0.0.0.0', port), options, server.accept);
  const second = new Client(tcp('127.0.0.5', port));
  expect(await second.greeting).toBe('hello');
  await wildcard[Symbol.asyncDispose]();
  await using again = await network.listen(tcp('127.0.0.1', port), options, server.accept);
  const third = new Client(again.at);
  expect(await third.greeting).toBe('hello');
  // Both old connections still carry bytes.
  for (const pipe of server.pipes) {
    pipe.write([Buffer.from(' bye')]);
    pipe.end();
  }
  expect(await Promise.all([first.over, second.over, third.over])).toEqual(['hello bye', 'hello bye', 'hello bye']);
});

test('the last descriptors are kept from clients, and the listener hears of each that is turned away', async () => {
  expect(mostDescriptors()).toBeGreaterThan(100);
  const failed: NetworkError[] = [];
  // A process that is allowed so few has none to spare.
  const poor = new NodeNetwork(clock, 20);
  const server = new Server();
  const heard = { ...options, failed: (why: NetworkError) => void failed.push(why) };
  await using door = await poor.listen(tcp('127.0.0.1'), heard, server.accept);
  const client = new Client(door.at);
  await client.over;
  expect(failed.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'EMFILE too many open files: 20 are allowed, and the last 16 are kept',
  ]);
  expect(server.pipes).toEqual([]);
  // The socket goes on.
  const again = new Client(door.at);
  await again.over;
  expect(failed).toHaveLength(2);
});

test('what cannot be bound is refused in the words of the system', async () => {
  const listen = (at: Endpoint) => network.listen(at, options, () => QUIET);
  await expect(listen(tcp('192.0.2.1', 2525))).rejects.toMatchObject({
    code: 'EADDRNOTAVAIL',
    message: 'address not available',
  });
  await expect(listen({ kind: 'unix', path: join(folder, 'not', 'there') })).rejects.toMatchObject({
    code: expect.any(String),
  });
});
