import { createSocket } from 'node:dgram';
import { connect as openSocket, type Socket } from 'node:net';
import type { Endpoint } from '../../base/index.ts';
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
import { mostDescriptors, openListening } from './listening.ts';
import { canonical, NodePipe, networkError } from './pipe.ts';

/** The system's sockets. */
export class NodeNetwork implements Network {
  readonly #clock: Clock;
  readonly #mostDescriptors: number;

  constructor(clock: Clock, descriptors = mostDescriptors()) {
    this.#clock = clock;
    this.#mostDescriptors = descriptors;
  }

  listen(at: Endpoint, options: ListenOptions, accept: (pipe: Pipe) => PipeHost): Promise<Listening> {
    return openListening(at, options, this.#mostDescriptors, (socket) => this.#accept(at, socket, accept));
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
    socket.on('error', (error) => {
      if (open) host.failed(networkError(error));
    });
    return {
      send: (bytes, to) => {
        if (!open) return;
        socket.send(bytes, to.port, to.ip, (error) => {
          if (error && open) host.failed(networkError(error), to);
        });
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
