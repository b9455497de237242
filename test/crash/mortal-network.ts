import type { Endpoint, Segments } from '../../src/base/index.ts';
import type {
  ConnectHost,
  DatagramHost,
  Datagrams,
  Listening,
  ListenOptions,
  Network,
  Pipe,
  PipeHost,
  Securing,
} from '../../src/world/index.ts';
import type { Witness } from './witness.ts';

/** Our 250 to a dot: it names the batch. */
const PROMISE = /^250 2\.0\.0 OK [0-9A-F]{2}\//m;
const END_OF_TEXT = Buffer.from('\r\n.\r\n');
/** What the sink of these trials says to a dot: it numbers what arrives. */
const TAKEN = /^250 2\.0\.0 taken (\d+)$/;

/** The real sockets, and a process that can die around each reply that decides something. */
export class MortalNetwork implements Network {
  readonly #network: Network;
  readonly #witness: Witness;

  constructor(network: Network, witness: Witness) {
    this.#network = network;
    this.#witness = witness;
  }

  listen(at: Endpoint, options: ListenOptions, accept: (pipe: Pipe) => PipeHost): Promise<Listening> {
    return this.#network.listen(at, options, (pipe) => accept(new InboundPipe(pipe, this.#witness)));
  }

  connect(to: Endpoint, from: string | undefined, host: ConnectHost): Pipe {
    return new OutboundPipe(this.#network.connect(to, from, new Listener(host, this.#witness)), this.#witness);
  }

  datagrams(family: 4 | 6, host: DatagramHost): Datagrams {
    return this.#network.datagrams(family, host);
  }
}

class ThroughPipe implements Pipe {
  protected readonly pipe: Pipe;
  protected readonly witness: Witness;

  constructor(pipe: Pipe, witness: Witness) {
    this.pipe = pipe;
    this.witness = witness;
  }

  get remote() {
    return this.pipe.remote;
  }

  get local() {
    return this.pipe.local;
  }

  write(bytes: Segments): boolean {
    return this.pipe.write(bytes);
  }

  secure(how: Securing): void {
    this.pipe.secure(how);
  }

  pause(): void {
    this.pipe.pause();
  }

  resume(): void {
    this.pipe.resume();
  }

  end(): void {
    this.pipe.end();
  }

  destroy(): void {
    this.pipe.destroy();
  }
}

class InboundPipe extends ThroughPipe {
  override write(bytes: Segments): boolean {
    if (!bytes.some((view) => PROMISE.test(text(view)))) return this.pipe.write(bytes);
    this.witness.pass('reply: before the 250 leaves');
    const more = this.pipe.write(bytes);
    this.witness.pass('reply: after the 250 has left');
    return more;
  }
}

class OutboundPipe extends ThroughPipe {
  override write(bytes: Segments): boolean {
    const more = this.pipe.write(bytes);
    if (bytes.some((view) => endsText(view))) this.witness.pass('delivery: the dot was sent');
    return more;
  }
}

/** Hears what the peer says before the server does. */
class Listener implements ConnectHost {
  readonly #host: ConnectHost;
  readonly #witness: Witness;
  #line = '';

  constructor(host: ConnectHost, witness: Witness) {
    this.#host = host;
    this.#witness = witness;
  }

  opened(): void {
    this.#host.opened();
  }

  data(chunk: Uint8Array): void {
    const lines = (this.#line + text(chunk)).split('\r\n');
    this.#line = lines.pop() ?? '';
    const serials = lines.flatMap((line) => TAKEN.exec(line)?.[1] ?? []);
    for (const _ of serials) this.#witness.pass('delivery: the 250 has come and was not heard');
    this.#host.data(chunk);
    for (const serial of serials) {
      this.#witness.note(`heard ${serial}`);
      this.#witness.pass('delivery: the 250 was heard');
    }
  }

  drained(): void {
    this.#host.drained();
  }

  closed(why?: Parameters<PipeHost['closed']>[0]): void {
    this.#host.closed(why);
  }
}

function text(view: Uint8Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1');
}

/** A dot may come in a view of its own, or with the next envelope behind it. */
function endsText(view: Uint8Array): boolean {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes.equals(END_OF_TEXT.subarray(2)) || bytes.includes(END_OF_TEXT);
}
