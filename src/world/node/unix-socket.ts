import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { NetworkError } from '../world.ts';
import { networkError } from './pipe.ts';

/**
 * Clears the way for a Unix socket: what a dead server left behind is removed.
 *
 * @throws NetworkError EADDRINUSE `in use` when a server answers there (or might), ENOTSOCK `not a socket`
 */
export async function clearSocketPath(path: string): Promise<void> {
  try {
    const status = await lstat(path);
    if (!status.isSocket()) throw new NetworkError('ENOTSOCK', 'not a socket');
    if (await answers(path)) throw new NetworkError('EADDRINUSE', 'in use');
    await unlink(path);
  } catch (error) {
    if (error instanceof NetworkError) throw error;
    const system = error as NodeJS.ErrnoException;
    if (system.code !== 'ENOENT') throw networkError(system);
  }
}

/** Only a refusal proves that nobody listens: a full backlog or a lack of rights does not. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

/**
 * Runs `listen`, which must bind before it returns, so that the new socket has these permission bits from its first
 * moment: a chmod afterwards would leave a window. The umask belongs to the whole process, therefore nothing may be
 * awaited in between. Worker threads cannot set it; they never open Unix sockets.
 */
export function withFileMode(mode: number, listen: () => void): void {
  const before = process.umask(0o777 & ~mode);
  try {
    listen();
  } finally {
    process.umask(before);
  }
}
