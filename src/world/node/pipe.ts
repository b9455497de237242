import type { Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { bytesIn, joined, millis, parseAddress, type Segments, unmapped } from '../../base/index.ts';
import { type Clock, NetworkError, type PeerAddress, type Pipe, type PipeHost } from '../world.ts';

/** A socket of the system as a Pipe. */
export class NodePipe implements Pipe {
  readonly remote: PeerAddress;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #local: PeerAddress | undefined;
  /** `write` has answered false, and `drained` has not been called. */
  #full = false;
  #ended = false;
  #error: NetworkError | undefined;
  #farewell: Disposable | undefined;

  constructor(socket: Socket, remote: PeerAddress, clock: Clock) {
    this.#socket = socket;
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
    const socket = this.#socket;
    socket.on('data', (chunk: Uint8Array) => {
      if (!this.#ended) host.data(chunk);
    });
    socket.on('drain', () => {
      if (!this.#full) return;
      this.#full = false;
      host.drained();
    });
    socket.on('error', (error) => {
      this.#error ??= networkError(error);
    });
    socket.once('end', () => {
      if (this.#ended) return;
      if (host.ended) host.ended();
      else this.end();
    });
    socket.once('close', () => {
      this.#ended = true;
      this.#farewell?.[Symbol.dispose]();
      host.closed(this.#error);
    });
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
    if (!this.#ended) this.#socket.pause();
  }

  resume(): void {
    if (!this.#ended) this.#socket.resume();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    // Closing with unread bytes makes the kernel send a reset, which may overtake our last words: read on, until the
    // peer closes as well.
    this.#socket.resume();
    this.#waitForPeer(-1);
  }

  destroy(): void {
    this.#ended = true;
    this.#error = undefined;
    this.#socket.destroy();
  }

  #waitForPeer(sentBefore: number): void {
    const socket = this.#socket;
    this.#farewell = this.#clock.at(millis(this.#clock.now() + PATIENCE), () => {
      const sent = socket.bytesWritten - socket.writableLength;
      if (socket.writableFinished || sent === sentBefore) socket.destroy();
      else this.#waitForPeer(sent);
    });
  }
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

/** Milliseconds that a peer has to close after us, and to take something of what it was sent before. */
const PATIENCE = 20_000;

/**
 * Up to here views are copied together, above they go out by writev. With three to six views both cost the same from
 * 2 to 5 KB, 2 µs; at 38 KB copying costs 8 µs and writev 3 (bench/world/write.ts).
 */
const JOIN_BELOW = 2048;
