import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import { bytesIn, joined, millis, parseAddress, type Segments, unmapped } from '../../base/index.ts';
import type { Securing } from '../tls.ts';
import { type Clock, NetworkError, type PeerAddress, type Pipe, type PipeHost, TlsError } from '../world.ts';
import { NodeTlsContext, reasonOf } from './tls.ts';
import { factsOf } from './tls-facts.ts';

/** A socket of the system as a Pipe, in clear or with TLS above it. */
export class NodePipe implements Pipe {
  readonly remote: PeerAddress;
  readonly #clock: Clock;
  /** What carries data now: the system's socket, or the TLS socket above it. */
  #socket: Socket;
  readonly #systems: Socket;
  #host: PipeHost | undefined;
  #local: PeerAddress | undefined;
  /** `write` has answered false, and `drained` has not been called. */
  #full = false;
  #paused = false;
  #ended = false;
  /** Between `secure` and the end of the handshake. */
  #shaking = false;
  #error: NetworkError | undefined;
  #farewell: Disposable | undefined;

  constructor(socket: Socket, remote: PeerAddress, clock: Clock) {
    this.#socket = socket;
    this.#systems = socket;
    this.remote = remote;
    this.#clock = clock;
  }

  get local(): PeerAddress {
    if (this.#local) return this.#local;
    if (this.remote.path !== undefined) return (this.#local = { ip: '', port: 0, path: this.remote.path });
    const { localAddress, localPort } = this.#socket;
    if (localAddress === undefined) return { ip: '', port: 0 };
    return (this.#local = { ip: canonical(localAddress), port: localPort ?? 0 });
  }

  /** Joins pipe and host. Data flows from the next turn on. */
  serve(host: PipeHost): void {
    this.#host = host;
    if (!this.#shaking) this.#socket.on('data', this.#onData);
    this.#socket
      .on('drain', this.#onDrain)
      .on('error', this.#onError)
      .on('end', this.#onEnd)
      .on('close', this.#onClose);
  }

  secure(how: Securing): void {
    const socket = this.#socket;
    if (this.#shaking || socket.destroyed || this.#ended) return;
    this.#shaking = true;
    socket.off('data', this.#onData).pause();
    // The TLS socket reads what is buffered here before anything else.
    if (how.received !== undefined) socket.unshift(how.received);
    // What was said in clear must not go out behind the first bytes of the handshake.
    if (socket.writableLength === 0) this.#shake(how);
    else socket.write('', () => this.#shake(how));
  }

  write(bytes: Segments): boolean {
    const socket = this.#socket;
    if (socket.writableEnded || socket.destroyed) return true;
    const first = bytes[0];
    if (first === undefined) return !this.#full;
    if (bytes.length === 1) socket.write(first);
    else if (bytesIn(bytes) <= JOIN_BELOW) socket.write(joined(bytes));
    else {
      socket.cork();
      for (const view of bytes) socket.write(view);
      socket.uncork();
    }
    if (socket.writableLength < socket.writableHighWaterMark) return true;
    this.#full = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
    if (!this.#ended && !this.#shaking) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#ended && !this.#shaking) this.#socket.resume();
  }

  end(): void {
    if (this.#ended) return;
    // Within a handshake there are no words to part with.
    if (this.#shaking) return this.destroy();
    this.#ended = true;
    this.#socket.end();
    // Closing with unread bytes makes the kernel send a reset, which may overtake our last words: read on, until the
    // peer closes as well.
    this.#socket.resume();
    this.#waitForPeer(undefined);
  }

  destroy(): void {
    this.#ended = true;
    this.#error = undefined;
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (!this.#ended) this.#host?.data(chunk);
  };

  readonly #onDrain = (): void => {
    if (!this.#full) return;
    this.#full = false;
    this.#host?.drained();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (!this.#shaking) this.#error ??= networkError(error);
    // Who has closed the pipe in the middle needs not to be told why the handshake failed.
    else if (!this.#ended) {
      const gone = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      this.#error ??= new TlsError(gone ? GONE : reasonOf(error), { cause: error, gone });
    }
  };

  readonly #onEnd = (): void => {
    // Who goes in the middle of a handshake is told of by the failure of the handshake.
    if (this.#ended || this.#shaking) return;
    if (this.#host?.ended) this.#host.ended();
    else this.end();
  };

  readonly #onClose = (): void => {
    const silent = this.#ended;
    this.#ended = true;
    this.#farewell?.[Symbol.dispose]();
    if (this.#shaking && !silent) this.#error ??= new TlsError(GONE, { gone: true });
    this.#host?.closed(this.#error);
  };

  #shake(how: Securing): void {
    const below = this.#socket;
    if (below.destroyed) return;
    const { context } = how;
    if (!(context instanceof NodeTlsContext)) throw new TypeError('a TLS context of another world');
    const secured = (socket: TLSSocket): void => this.#secured(below, socket);
    // A peer that ends has nothing to wait for here; from the handshake on the host decides again.
    below.allowHalfOpen = false;
    if (how.as === 'server') {
      context.accept(below, { secured, failed: this.#onError });
      return;
    }
    const socket = connect({
      socket: below,
      secureContext: context.secure,
      ...(how.serverName === undefined ? {} : { servername: how.serverName }),
      // Whether a certificate will do is for the host to judge.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    socket.on('error', this.#onError);
    socket.once('secureConnect', () => {
      socket.off('error', this.#onError);
      secured(socket);
    });
  }

  /** From here on the TLS socket speaks; the one below only carries. */
  #secured(below: Socket, socket: TLSSocket): void {
    if (this.#ended) {
      socket.destroy();
      return;
    }
    below.off('drain', this.#onDrain).off('end', this.#onEnd).off('close', this.#onClose);
    socket.allowHalfOpen = true;
    this.#socket = socket;
    this.#shaking = false;
    this.#full = false;
    socket.on('drain', this.#onDrain).on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onClose);
    this.#host?.secured?.(factsOf(socket));
    socket.on('data', this.#onData);
    if (this.#paused && !this.#ended) socket.pause();
  }

  #waitForPeer(before: Progress | undefined): void {
    const socket = this.#socket;
    this.#farewell = this.#clock.at(millis(this.#clock.now() + PATIENCE), () => {
      const now = progressOf(socket, this.#systems);
      const stuck = now.sent === before?.sent && now.queued === before.queued;
      if (socket.writableFinished || stuck) socket.destroy();
      else this.#waitForPeer(now);
    });
  }
}

/** How far a peer has taken what it was sent. */
interface Progress {
  /** Bytes of writes that have gone out whole. */
  readonly sent: number;
  /** What the system has not taken yet of the write that is going out: one may be a whole body. */
  readonly queued: number | undefined;
}

function progressOf(socket: Socket, systems: Socket): Progress {
  // Node asks for the same when it judges whether a socket is idle. It is not documented; a test watches over it.
  const { _handle: handle } = systems as Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return { sent: socket.bytesWritten - socket.writableLength, queued: handle?.writeQueueSize };
}

/** @returns how the system spells an address, in our spelling */
export function canonical(ip: string): string {
  if (!ip.includes(':')) return ip;
  const plain = unmapped(ip);
  return parseAddress(plain) ?? plain;
}

/** @returns what the system reported, with its own code */
export function networkError(error: NodeJS.ErrnoException, message = error.message): NetworkError {
  return new NetworkError(error.code ?? 'EIO', message, { cause: error });
}

/** @returns what an error number means, as `permission denied`: without the call and the address that Node adds */
export function systemText(error: NodeJS.ErrnoException): string {
  return (error.errno === undefined ? undefined : getSystemErrorMap().get(error.errno)?.[1]) ?? error.message;
}
const GONE = 'the peer closed the connection during the handshake';

/** Milliseconds that a peer has to close after us, and to take something of what it was sent before. */
const PATIENCE = 20_000;

/**
 * Up to here views are copied together, above they go out by writev. With three to six views both cost the same from
 * 2 to 5 KB, 2 µs; at 38 KB copying costs 8 µs and writev 3 (bench/world/write.ts).
 */
const JOIN_BELOW = 2048;
