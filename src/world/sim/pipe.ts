import { bytesIn, joined, millis, type Segments } from '../../base/index.ts';
import type { Securing, TlsFacts } from '../tls.ts';
import { type ConnectHost, NetworkError, type PeerAddress, type Pipe, type PipeHost, TlsError } from '../world.ts';
import type { SimClock } from './clock.ts';
import { handshake, SimTlsContext } from './tls.ts';
import type { Parcel, Receiver, Wire } from './wire.ts';

/** As Node's sockets: above this a writer is asked to wait, and this much the kernel still sends for who destroys. */
const HIGH_WATER = 65_536;
/** As in the real network: what a peer has to close after us. */
const PATIENCE = 20_000;

export interface SimPipeEnds {
  readonly out: Wire;
  readonly in: Wire;
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
  /** Why handshakes between these ends fail; `silent`: they never end. */
  readonly tlsTrouble: () => string | undefined;
}

/** What a server that speaks no TLS sees of a hello. */
const HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x0a);

/** One end of a simulated connection. */
export class SimPipe implements Pipe, Receiver {
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
  readonly #clock: SimClock;
  readonly #out: Wire;
  readonly #in: Wire;
  #host: PipeHost | ConnectHost | undefined;
  #paused = false;
  /** `write` has answered false, and `drained` has not been called. */
  #full = false;
  #ended = false;
  #peerEnded = false;
  #closed = false;
  /** Between `secure` and the end of the handshake. */
  #shaking: Securing | undefined;
  /** What a server will have learned once the client's last word has come. */
  #learned: TlsFacts | undefined;
  readonly #tlsTrouble: () => string | undefined;
  #farewell: Disposable | undefined;
  readonly #gone: (pipe: SimPipe) => void;
  /** The machine whose end this is, when it is one that can die. */
  owner: object | undefined;

  constructor(clock: SimClock, ends: SimPipeEnds, gone: (pipe: SimPipe) => void) {
    this.#clock = clock;
    this.#gone = gone;
    this.#out = ends.out;
    this.#in = ends.in;
    this.remote = ends.remote;
    this.local = ends.local;
    this.#tlsTrouble = ends.tlsTrouble;
    ends.out.from = this;
    ends.in.to = this;
  }

  /** Bytes of ours that the host at the other end has been given: what it must know of, if it lived. */
  get taken(): number {
    return this.#out.given;
  }

  /** @param offset counted from the first byte that this end gets @returns when the other end wrote that byte */
  sentAt(offset: number): number {
    return this.#in.sentAt(offset);
  }

  get open(): boolean {
    return !this.#closed;
  }

  /** Data waits until there is a host. */
  serve(host: PipeHost | ConnectHost): void {
    this.#host = host;
    this.#in.wake();
  }

  get paused(): boolean {
    return !this.#host || (this.#paused && !this.#shaking && !this.#ended && !this.#closed);
  }

  write(bytes: Segments): boolean {
    if (this.#ended || this.#closed) return true;
    if (bytesIn(bytes) > 0) this.#out.send({ kind: 'data', bytes: joined(bytes) });
    if (this.#out.bytes < HIGH_WATER) return true;
    this.#full = true;
    return false;
  }

  secure(how: Securing): void {
    if (this.#shaking || this.#ended || this.#closed) return;
    const { context } = how;
    if (!(context instanceof SimTlsContext)) throw new TypeError('a TLS context of another world');
    this.#shaking = how;
    if (how.as === 'client') this.#out.send({ kind: 'hello', context, serverName: how.serverName });
    // A hello is no bytes here, so these are clear text where a record was expected.
    if (how.received !== undefined && how.received.length > 0)
      this.#clock.at(this.#clock.now(), () => {
        if (!this.#closed) this.#failShaking('wrong version number');
      });
    this.#in.wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#in.wake();
  }

  end(): void {
    if (this.#ended || this.#closed) return;
    if (this.#shaking !== undefined) return this.destroy();
    this.#ended = true;
    this.#out.send({ kind: 'end' });
    this.#in.wake();
    this.#farewell = this.#clock.at(millis(this.#clock.now() + PATIENCE), () => this.destroy());
    this.#closeWhenDone();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#out.lose(HIGH_WATER);
    // Unread bytes make the kernel send a reset instead of an end.
    this.#out.send({ kind: this.#in.bytes > 0 ? 'reset' : 'end' });
    this.#ended = true;
    this.#close(undefined);
  }

  /** Both ends are told that the connection was reset; what was under way is lost. */
  reset(): void {
    this.#out.lose(0);
    this.#out.send({ kind: 'reset' });
    this.#close('ECONNRESET');
  }

  /** Its process is gone: nobody hears anything of this end any more. */
  abandon(): void {
    this.#host = undefined;
  }

  /** What this end sends does not arrive any more, and nobody is told: a connection that is open to one side. */
  mute(): void {
    this.#out.cut();
  }

  /** Nothing arrives any more in either direction, and nobody is told. */
  cut(): void {
    this.#out.cut();
    this.#in.cut();
  }

  receive(parcel: Parcel): void {
    if (this.#closed) {
      // A dead end answers data with a reset; the writer learns that nobody reads.
      if (parcel.kind === 'data') this.#out.send({ kind: 'reset' });
      return;
    }
    switch (parcel.kind) {
      case 'data':
        if (this.#ended || this.#host === undefined) return;
        // Clear text where a record was expected.
        if (this.#shaking !== undefined) return this.#failShaking('wrong version number');
        this.#in.given += parcel.bytes.length;
        this.#host.data(parcel.bytes);
        return;
      case 'opened':
        if (this.#host && 'opened' in this.#host) this.#host.opened();
        return;
      case 'end':
        this.#peerEnded = true;
        if (this.#shaking !== undefined) this.#fail('the peer closed the connection during the handshake', true);
        else if (this.#ended) this.#closeWhenDone();
        else if (this.#host?.ended) this.#host.ended();
        else this.end();
        return;
      case 'reset':
        this.#close('ECONNRESET');
        return;
      case 'refused':
        this.#close(parcel.code);
        return;
      case 'hello':
        this.#answer(parcel);
        return;
      case 'answer':
        if (this.#shaking?.as !== 'client') return;
        this.#out.send({ kind: 'finished' });
        this.#secured(parcel.facts);
        return;
      case 'finished':
        if (this.#learned !== undefined) this.#secured(this.#learned);
        return;
      case 'alert':
        this.#fail(parcel.reason);
        return;
      case 'connect':
        return;
    }
  }

  emptied(): void {
    if (this.#closed || !this.#full) return;
    this.#full = false;
    this.#host?.drained();
  }

  /** The server's side of a handshake. */
  #answer(hello: Extract<Parcel, { kind: 'hello' }>): void {
    const own = this.#shaking;
    if (own === undefined) {
      if (!this.#ended) this.#host?.data(Uint8Array.from(HELLO));
      return;
    }
    const trouble = this.#tlsTrouble();
    if (trouble === 'silent' || own.as === 'client' || !(own.context instanceof SimTlsContext)) return;
    const outcome =
      trouble === undefined
        ? handshake(hello.context, own.context, hello.serverName, this.#clock.date())
        : { failure: trouble };
    if ('failure' in outcome) return this.#failShaking(outcome.failure);
    this.#learned = outcome.server;
    this.#out.send({ kind: 'answer', facts: outcome.client });
  }

  #secured(facts: TlsFacts): void {
    this.#shaking = undefined;
    this.#learned = undefined;
    this.#host?.secured?.(facts);
    this.#in.wake();
  }

  #failShaking(reason: string): void {
    this.#out.send({ kind: 'alert', reason });
    this.#fail(reason);
  }

  #fail(reason: string, gone = false): void {
    this.#ended = true;
    this.#end(new TlsError(reason, { gone }));
  }

  #closeWhenDone(): void {
    if (this.#ended && this.#peerEnded) this.#close(undefined);
  }

  #close(code: string | undefined): void {
    const where = this.remote.path ?? `${this.remote.ip}:${this.remote.port}`;
    if (code === undefined) this.#end(undefined);
    else if (this.#shaking === undefined) this.#end(new NetworkError(code, `${code} ${where}`));
    else this.#end(new TlsError(`${code} ${where}`, { gone: true }));
  }

  #end(why: NetworkError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gone(this);
    this.#farewell?.[Symbol.dispose]();
    // Never inside the call that closes: as with real sockets, the host hears of it afterwards.
    this.#clock.at(this.#clock.now(), () => this.#host?.closed(why));
    // What is still on its way to us is answered by resets.
    this.#in.wake();
  }
}
