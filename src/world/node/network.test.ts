import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Endpoint, joined } from '../../base/index.ts';
import type { ConnectHost, NetworkError, Pipe, PipeHost } from '../world.ts';
import { nodeWorld } from './world.ts';

const { network, clock } = nodeWorld();
const options = { backlog: 10, fileMode: 0o600 };
const anywhere: Endpoint = { kind: 'tcp', ip: '127.0.0.1', port: 0 };
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'impetus-net-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A host that remembers, and lets a test wait for what it hears. */
class Ear implements ConnectHost {
  readonly heard: string[] = [];
  bytes = Buffer.alloc(0);
  why: NetworkError | undefined;
  #waiting: { until: () => boolean; go: () => void }[] = [];
  opened(): void {
    this.#note('opened');
  }
  data(chunk: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    this.#note('data');
  }
  drained(): void {
    this.#note('drained');
  }
  closed(why?: NetworkError): void {
    this.why = why;
    this.#note('closed');
  }
  async until(what: string | (() => boolean)): Promise<void> {
    const until = typeof what === 'string' ? () => this.heard.includes(what) : what;
    if (!until()) await new Promise<void>((go) => this.#waiting.push({ until, go }));
  }
  #note(what: string): void {
    this.heard.push(what);
    this.#waiting = this.#waiting.filter(({ until, go }) => !until() || void go());
  }
}

/** Two ends of a connection. */
async function pair(at: Endpoint = anywhere): Promise<{ near: Ear; far: Ear; nearPipe: Pipe; farPipe: Pipe }> {
  const far = new Ear();
  let farPipe: Pipe | undefined;
  await using door = await network.listen(at, options, (pipe): PipeHost => {
    farPipe = pipe;
    return far;
  });
  const near = new Ear();
  const nearPipe = network.connect(door.at, undefined, near);
  expect(near.heard).toEqual([]);
  await near.until('opened');
  nearPipe.write([Buffer.from('hello')]);
  await far.until('data');
  if (!farPipe) throw new Error('data without a connection');
  return { near, far, nearPipe, farPipe };
}

test('two ends know each other and talk, whether views are many or few', async () => {
  const { near, far, nearPipe, farPipe } = await pair();
  expect(far.bytes.toString()).toBe('hello');
  expect(farPipe.remote).toEqual(nearPipe.local);
  expect(nearPipe.remote).toEqual(farPipe.local);
  const views = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
  farPipe.write(views);
  farPipe.write([]);
  farPipe.write(views.slice(0, 7));
  const expected = joined([...views, ...views.slice(0, 7)]).toString();
  await near.until(() => near.bytes.length === expected.length);
  expect(near.bytes.toString()).toBe(expected);
  nearPipe.end();
  await Promise.all([near.until('closed'), far.until('closed')]);
  expect([near.why, far.why]).toEqual([undefined, undefined]);
  expect(nearPipe.write([Buffer.from('too late')])).toBe(true);
});

test('a listener that has closed takes nobody, but its connections go on', async () => {
  const { near, nearPipe, farPipe } = await pair();
  const gone = new Ear();
  network.connect({ kind: 'tcp', ip: nearPipe.remote.ip, port: nearPipe.remote.port }, undefined, gone);
  await gone.until('closed');
  expect(gone.heard).toEqual(['closed']);
  expect(gone.why?.code).toBe('ECONNREFUSED');
  farPipe.write([Buffer.from('still here')]);
  await near.until('data');
  nearPipe.destroy();
});

test('a writer that is too fast is told to wait, and told when to go on', async () => {
  const { far, near, nearPipe, farPipe } = await pair();
  farPipe.pause();
  const megabyte = Buffer.alloc(1 << 20, 'x');
  let written = 0;
  while (nearPipe.write([megabyte, megabyte]) && written < 100) written++;
  expect(written).toBeLessThan(100);
  expect(near.heard).not.toContain('drained');
  farPipe.resume();
  await near.until('drained');
  const total = 5 + (written + 1) * 2 * megabyte.length;
  await far.until(() => far.bytes.length === total);
  expect(near.heard.filter((word) => word === 'drained')).toHaveLength(1);
  nearPipe.end();
  await far.until('closed');
});

test('what was written before the end arrives, however much it was', async () => {
  const { near, far, nearPipe, farPipe } = await pair();
  nearPipe.write([Buffer.alloc(3 << 20, 'y')]);
  nearPipe.end();
  farPipe.write([Buffer.from('nobody listens')]);
  await far.until('closed');
  await near.until('closed');
  expect(far.bytes.length).toBe(5 + (3 << 20));
  expect(near.heard).not.toContain('data');
});

test('a reset arrives with its code, and closing is told once', async () => {
  const { near, far, nearPipe, farPipe } = await pair();
  // Closing with unread bytes resets the connection.
  farPipe.pause();
  nearPipe.write([Buffer.alloc(200_000)]);
  await new Promise<void>((resolve) => clock.defer(resolve));
  farPipe.destroy();
  farPipe.destroy();
  await Promise.all([near.until('closed'), far.until('closed')]);
  expect(near.why?.code ?? 'ECONNRESET').toMatch(/ECONNRESET|EPIPE/);
  expect(far.why).toBeUndefined();
  expect(far.heard.filter((word) => word === 'closed')).toHaveLength(1);
});

test("a connection is made from the address asked for, or fails with the system's code", async () => {
  const ear = new Ear();
  let from = '';
  await using door = await network.listen(anywhere, options, (pipe) => {
    from = pipe.remote.ip;
    return new Ear();
  });
  const pipe = network.connect(door.at, '127.0.0.9', ear);
  await ear.until('opened');
  pipe.end();
  await ear.until('closed');
  expect(from).toBe('127.0.0.9');
  const lost = new Ear();
  network.connect(door.at, '192.0.2.1', lost);
  await lost.until('closed');
  expect(lost.why?.code).toBe('EADDRNOTAVAIL');
});

test('an IPv6 wildcard leaves the IPv4 port free', async () => {
  await using six = await network.listen({ kind: 'tcp', ip: '::', port: 0 }, options, () => new Ear());
  if (six.at.kind !== 'tcp') throw new Error('a TCP endpoint was asked for');
  await using four = await network.listen({ kind: 'tcp', ip: '0.0.0.0', port: six.at.port }, options, () => new Ear());
  expect(four.at).toEqual({ kind: 'tcp', ip: '0.0.0.0', port: six.at.port });
  const { nearPipe, farPipe } = await pair({ kind: 'tcp', ip: '::1', port: 0 });
  expect(farPipe.remote.ip).toBe('::1');
  nearPipe.destroy();
});

test('a port in use is refused in the words of the system', async () => {
  await using door = await network.listen(anywhere, options, () => new Ear());
  await expect(network.listen(door.at, options, () => new Ear())).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: 'address already in use',
  });
});

test('a Unix socket has its mode from the start, and is removed when it closes', async () => {
  const path = join(folder, 'mode.sock');
  const at: Endpoint = { kind: 'unix', path };
  {
    await using door = await network.listen(at, { backlog: 10, fileMode: 0o660 }, () => new Ear());
    expect(door.at).toEqual(at);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  }
  expect(existsSync(path)).toBe(false);
  const { farPipe, nearPipe } = await pair(at);
  expect(farPipe.remote).toEqual({ ip: '', port: 0, path });
  expect(farPipe.local).toEqual({ ip: '', port: 0, path });
  nearPipe.destroy();
});

test('a dead Unix socket is replaced, a living one and a plain file are left alone', async () => {
  const path = join(folder, 'stale.sock');
  const at: Endpoint = { kind: 'unix', path };
  // A process that dies leaves its socket behind.
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore', timeout: 10_000 })).toThrow();
  expect(existsSync(path)).toBe(true);
  await using door = await network.listen(at, options, () => new Ear());
  expect(door.at).toEqual(at);
  await expect(network.listen(at, options, () => new Ear())).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: 'in use',
  });
  const file = join(folder, 'plain');
  writeFileSync(file, 'precious');
  await expect(network.listen({ kind: 'unix', path: file }, options, () => new Ear())).rejects.toMatchObject({
    code: 'ENOTSOCK',
    message: 'not a socket',
  });
  expect(existsSync(file)).toBe(true);
  await expect(
    network.listen({ kind: 'unix', path: join(folder, 'no', 'where') }, options, () => new Ear()),
  ).rejects.toMatchObject({ code: expect.stringMatching(/ENOENT|EACCES/) });
});

test('who wants to hear that the peer has ended can still answer', async () => {
  const far = new Ear();
  let pipe: Pipe | undefined;
  const host = Object.assign(far, {
    ended: () =>
      clock.defer(() => {
        pipe?.write([Buffer.from('bye')]);
        pipe?.end();
      }),
  });
  await using door = await network.listen(anywhere, options, (each) => {
    pipe = each;
    return host;
  });
  const stock = connect({ port: door.at.kind === 'tcp' ? door.at.port : 0, host: '127.0.0.1', allowHalfOpen: true });
  stock.end('question');
  let answer = '';
  for await (const chunk of stock) answer += String(chunk);
  await far.until('closed');
  expect([far.bytes.toString(), answer]).toEqual(['question', 'bye']);
});

test('a pipe waits for a peer that closes later', async () => {
  const far = new Ear();
  const stock = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('end', () => socket.end('goodbye'));
    socket.resume();
  });
  await new Promise<void>((resolve) => stock.listen(0, '127.0.0.1', resolve));
  const address = stock.address();
  const pipe = network.connect(
    { kind: 'tcp', ip: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 },
    undefined,
    far,
  );
  await far.until('opened');
  pipe.end();
  await far.until('closed');
  expect(far.why).toBeUndefined();
  stock.close();
});

test('datagrams arrive with their sender', async () => {
  const stock: { bytes: string; port: number }[] = [];
  let wake = (): void => undefined;
  const one = network.datagrams(4, {
    received: (bytes, from) => {
      stock.push({ bytes: Buffer.from(bytes).toString(), port: from.port });
      wake();
    },
    failed: (why) => {
      throw why;
    },
  });
  const { createSocket } = await import('node:dgram');
  const echo = createSocket('udp4', (bytes, from) => echo.send(bytes, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
  const heard = new Promise<void>((resolve) => {
    wake = resolve;
  });
  one.send(Buffer.from('ping'), { ip: '127.0.0.1', port: echo.address().port });
  await heard;
  expect(stock).toEqual([{ bytes: 'ping', port: echo.address().port }]);
  one.close();
  one.close();
  one.send(Buffer.from('late'), { ip: '127.0.0.1', port: 9 });
  echo.close();
});

test('a datagram that cannot be sent is told of with whom it was for', async () => {
  // Without leave to broadcast the system refuses at once, and nothing goes out.
  const to = { ip: '255.255.255.255', port: 9 };
  const failed = await new Promise<unknown[]>((resolve) => {
    const socket = network.datagrams(4, {
      received: () => undefined,
      failed: (why, whom) => {
        socket.close();
        resolve([why.code, whom]);
      },
    });
    socket.send(Buffer.from('ping'), to);
  });
  expect(failed).toEqual(['EACCES', to]);
});
