import { readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket, type ListenOptions as SocketOptions } from 'node:net';
import { type Endpoint, family } from '../../base/index.ts';
import { type Listening, type ListenOptions, NetworkError } from '../world.ts';
import { networkError, systemText } from './pipe.ts';
import { clearSocketPath, withFileMode } from './unix-socket.ts';

/**
 * Opens a listening socket of the system.
 *
 * @param most  descriptors that the process may have open
 * @throws NetworkError as `Network.listen`
 */
export async function openListening(
  at: Endpoint,
  options: ListenOptions,
  most: number,
  accept: (socket: Socket) => void,
): Promise<Listening> {
  const server = createServer({ allowHalfOpen: true });
  const spare = SPARE[at.kind];
  let current = options;
  server.on('connection', (socket) => {
    // libuv answers EMFILE by accepting and closing whatever waits, and tells nobody. Some descriptors are kept free
    // for files and deliveries, so that we notice before it does.
    const descriptor = handleOf(socket)?.fd ?? -1;
    if (descriptor >= most - spare) {
      socket.on('error', () => undefined).destroy();
      current.failed?.(
        new NetworkError('EMFILE', `too many open files: ${most} are allowed, and the last ${spare} are kept`),
      );
      return;
    }
    if (at.kind === 'tcp' && current.noDelay !== false) socket.setNoDelay(true);
    accept(socket);
  });
  if (at.kind === 'unix') await clearSocketPath(at.path);
  await opened(server, at, options);
  server.on('error', (error: NodeJS.ErrnoException) => current.failed?.(networkError(error, systemText(error))));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    at: at.kind === 'tcp' ? { ...at, port } : at,
    async change(next) {
      if (at.kind === 'unix' && next.fileMode !== current.fileMode) await setMode(at.path, next.fileMode);
      try {
        if (next.backlog !== current.backlog) listenAgain(server, next.backlog);
      } catch (error) {
        if (at.kind === 'unix') await setMode(at.path, current.fileMode);
        throw error;
      }
      current = next;
    },
    // `close` ends the listening at once; it calls back only when all connections have gone, which nobody waits for.
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

/** @returns how many descriptors this process may have open; Infinity where the system does not say */
export function mostDescriptors(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Descriptors that no client gets. Those of Unix sockets may go further: an operator at the console must still get in. */
const SPARE = { tcp: 16, unix: 4 } as const;

/** What Node keeps under its sockets. It is not documented; whoever uses it goes on without when it is not there. */
interface Handle {
  readonly fd?: number;
  readonly listen?: (backlog: number) => number;
}

const handleOf = (owner: Server | Socket): Handle | undefined =>
  (owner as { readonly _handle?: Handle | null })._handle ?? undefined;

/** `listen(2)` on a socket that listens already only changes its backlog; nobody who waits in it is lost. */
function listenAgain(server: Server, backlog: number): void {
  const result = handleOf(server)?.listen?.(backlog) ?? -1;
  if (result !== 0) throw new NetworkError('EINVAL', 'the backlog of an open socket cannot be changed');
}

async function setMode(path: string, mode: number): Promise<void> {
  try {
    await chmod(path, mode & 0o777);
  } catch (error) {
    const system = error as NodeJS.ErrnoException;
    throw networkError(system, systemText(system));
  }
}

function opened(server: Server, at: Endpoint, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(networkError(error, systemText(error)));
    server.once('error', failed);
    server.once('listening', () => {
      server.off('error', failed);
      resolve();
    });
    // `exclusive`: never by way of a cluster parent.
    const how: SocketOptions = { backlog: options.backlog, exclusive: true };
    if (at.kind === 'unix') withFileMode(options.fileMode, () => server.listen({ ...how, path: at.path }));
    else server.listen({ ...how, host: at.ip, port: at.port, ipv6Only: family(at.ip) === 6 });
  });
}
