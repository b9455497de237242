import { createSocket } from 'node:dgram';
import {
  createServer,
  connect as openSocket,
  type Server,
  type Socket,
  type ListenOptions as SocketOptions,
} from 'node:net';
import { type Endpoint, endpointText, family } from '../../base/index.ts';
import type {
  Clock,
  ConnectHost,
  DatagramHost,
  Datagrams,
  Listening,
  ListenOptions,
  Network,
  Pipe,
  PipeHost,
} from '../world.ts';
import { canonical, NodePipe, networkError } from './pipe.ts';
import { clearSocketPath, withFileMode } from './unix-socket.ts';

/** The system's sockets. */
export class NodeNetwork implements Network {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async listen(at: Endpoint, options: ListenOptions, accept: (pipe: Pipe) => PipeHost): Promise<Listening> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.on('connection', (socket) => this.#accept(at, socket, accept));
    if (at.kind === 'unix') await clearSocketPath(at.path);
    await opened(server, at, options);
    server.on('error', (error) => options.failed?.(networkError(error)));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return {
      at: at.kind === 'tcp' ? { ...at, port } : at,
      // `close` ends the listening at once; it calls back only when all connections have gone, which nobody waits for.
      [Symbol.asyncDispose]: async () => {
        server.close();
      },
    };
  }

  connect(to: Endpoint, from: string | undefined, host: ConnectHost): Pipe {
    const target =
      to.kind === 'unix'
        ? { path: to.path }
        : { host: to.ip, port: to.port, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) };
    const socket = openSocket({ ...target, allowHalfOpen: true });
    const remote = to.kind === 'unix' ? { ip: '', port: 0, path: to.path } : { ip: to.ip, port: to.port };
    const pipe = new NodePipe(socket, remote, this.#clock);
    pipe.serve(host);
    socket.once('connect', () => host.opened());
    return pipe;
  }

  datagrams(version: 4 | 6, host: DatagramHost): Datagrams {
    const socket = createSocket({
      type: version === 4 ? 'udp4' : 'udp6',
      // Addresses only: without this each datagram would ask the system's resolver whether it is one.
      lookup: (name, _options, answer) => answer(null, name, version),
    });
    let open = true;
    socket.on('message', (bytes, from) => {
      if (open) host.received(bytes, { ip: canonical(from.address), port: from.port });
    });
    const failed = (error: NodeJS.ErrnoException | null): void => {
      if (error && open) host.failed(networkError(error));
    };
    socket.on('error', failed);
    return {
      send: (bytes, to) => {
        if (open) socket.send(bytes, to.port, to.ip, failed);
      },
      close: () => {
        if (!open) return;
        open = false;
        socket.close();
      },
    };
  }

  #accept(at: Endpoint, socket: Socket, accept: (pipe: Pipe) => PipeHost): void {
    if (at.kind === 'unix') {
      const pipe = new NodePipe(socket, { ip: '', port: 0, path: at.path }, this.#clock);
      pipe.serve(accept(pipe));
      return;
    }
    const { remoteAddress, remotePort } = socket;
    // It was reset before we came to it: there is nobody to talk to and no address to judge.
    if (remoteAddress === undefined) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    const pipe = new NodePipe(socket, { ip: canonical(remoteAddress), port: remotePort ?? 0 }, this.#clock);
    pipe.serve(accept(pipe));
  }
}

function opened(server: Server, at: Endpoint, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const where = at.kind === 'unix' ? at.path : endpointText(at);
      reject(networkError(error, error.code === 'EADDRINUSE' ? `${where} is in use` : error.message));
    };
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
