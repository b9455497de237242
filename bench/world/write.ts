/**
 * From how many bytes on do several views go out cheaper by writev than joined? Run: node bench/world/write.ts
 * A reader in the same process takes the bytes of each write before the next; the figure is the write calls alone.
 */
import { connect, createServer, type Socket } from 'node:net';

const VIEWS = 6;
const ROUNDS = 4000;

interface Pair {
  readonly near: Socket;
  arrived(bytes: number): Promise<void>;
  close(): void;
}

async function pair(): Promise<Pair> {
  let taken = 0;
  let wanted = 0;
  let wake = (): void => undefined;
  const server = createServer((far) =>
    far.on('data', (chunk) => {
      taken += chunk.length;
      if (taken >= wanted) wake();
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const near = connect({
    port: typeof address === 'object' && address ? address.port : 0,
    host: '127.0.0.1',
    noDelay: true,
  });
  await new Promise<void>((resolve) => near.once('connect', () => resolve()));
  return {
    near,
    arrived: (bytes) =>
      new Promise((resolve) => {
        wanted = bytes;
        wake = resolve;
        if (taken >= wanted) resolve();
      }),
    close: () => {
      near.destroy();
      server.close();
    },
  };
}

async function measure(total: number, write: (socket: Socket, views: Uint8Array[]) => void): Promise<number> {
  const { near, arrived, close } = await pair();
  const views = Array.from({ length: VIEWS }, () => Buffer.alloc(total / VIEWS, 97));
  let spent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    write(near, views);
    spent += performance.now() - from;
    await arrived(total * (round + 1));
  }
  close();
  return (spent / ROUNDS) * 1000;
}

const joined = (socket: Socket, views: Uint8Array[]): void => {
  socket.write(Buffer.concat(views));
};
const gathered = (socket: Socket, views: Uint8Array[]): void => {
  socket.cork();
  for (const view of views) socket.write(view);
  socket.uncork();
};

for (const total of [300, 1200, 2400, 4800, 9600, 19200, 38400]) {
  await measure(total, joined);
  await measure(total, gathered);
  console.log(
    `${total} bytes in ${VIEWS} views: joined ${(await measure(total, joined)).toFixed(1)} µs, writev ${(await measure(total, gathered)).toFixed(1)} µs`,
  );
}
