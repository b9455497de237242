import { type Endpoint, endpointText, family, millis } from '../../base/index.ts';
import {
  type ConnectHost,
  type DatagramHost,
  type Datagrams,
  type Listening,
  type ListenOptions,
  type Network,
  NetworkError,
  type PeerAddress,
  type Pipe,
  type PipeHost,
} from '../world.ts';
import type { SimChance } from './chance.ts';
import type { SimClock } from './clock.ts';
import { SimPipe, type SimPipeEnds } from './pipe.ts';
import { latency, type Parcel, Wire, type WireSettings } from './wire.ts';

type Ends = Omit<SimPipeEnds, 'tlsTrouble'>;
type Address = Pick<PeerAddress, 'ip' | 'port'>;

interface Door {
  readonly at: Endpoint;
  readonly owner: object | undefined;
  readonly accept: (pipe: Pipe) => PipeHost;
  options: ListenOptions;
}

interface Socket {
  readonly host: DatagramHost;
  readonly owner: object | undefined;
}

interface Crossing {
  readonly there: Wire;
  readonly back: Wire;
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
}

/** A network in memory. Addresses need not exist: whoever listens on one, has it. */
export class SimNetwork implements Network {
  /** May be changed at any time; what is on its way keeps its delay. */
  readonly settings: WireSettings;
  readonly #clock: SimClock;
  readonly #chance: SimChance;
  readonly #doors = new Map<string, Door>();
  readonly #sockets = new Map<string, Socket>();
  readonly #troubles = new Map<string, string>();
  readonly #bindTroubles = new Map<string, string>();
  readonly #acceptTroubles = new Map<string, string>();
  readonly #tlsTroubles = new Map<string, string>();
  readonly #pipes = new Set<SimPipe>();
  #port = 32_768;

  constructor(clock: SimClock, chance: SimChance, settings: Partial<WireSettings> = {}) {
    this.#clock = clock;
    this.#chance = chance;
    this.settings = { latencyMillis: 1, oddChunks: false, datagramLoss: 0, ...settings };
  }

  async listen(
    at: Endpoint,
    options: ListenOptions,
    accept: (pipe: Pipe) => PipeHost,
    owner?: object,
  ): Promise<Listening> {
    const actual = at.kind === 'tcp' && at.port === 0 ? { ...at, port: this.#freePort() } : at;
    const key = endpointText(actual);
    const trouble = this.#bindTroubles.get(key);
    if (trouble !== undefined) throw new NetworkError(trouble, `simulated ${trouble}`);
    if ([...this.#doors.values()].some((other) => overlap(other.at, actual)))
      throw new NetworkError('EADDRINUSE', at.kind === 'unix' ? 'in use' : 'address already in use');
    const door: Door = { at: actual, accept, owner, options };
    this.#doors.set(key, door);
    return {
      at: actual,
      change: async (next) => {
        const refused = this.#bindTroubles.get(key);
        if (refused !== undefined) throw new NetworkError(refused, `simulated ${refused}`);
        door.options = next;
      },
      [Symbol.asyncDispose]: async () => {
        if (this.#doors.get(key) === door) this.#doors.delete(key);
      },
    };
  }

  connect(to: Endpoint, from: string | undefined, host: ConnectHost, owner?: object): SimPipe {
    const there = new Wire(this.#clock, this.#chance, this.settings);
    const back = new Wire(this.#clock, this.#chance, this.settings);
    const remote: PeerAddress = to.kind === 'unix' ? { ip: '', port: 0, path: to.path } : { ip: to.ip, port: to.port };
    const local: PeerAddress =
      to.kind === 'unix' ? remote : { ip: from ?? (family(to.ip) === 4 ? '127.0.0.1' : '::1'), port: this.#freePort() };
    const near = this.#pipe({ out: there, in: back, remote, local }, remote);
    // The first parcel asks for a connection; if there is one, the other end takes the wire over.
    const ends = { there, back, remote, local };
    there.to = { paused: false, emptied: () => undefined, receive: (parcel) => this.#arrive(parcel, to, ends) };
    there.send({ kind: 'connect' });
    near.owner = owner;
    near.serve(host);
    return near;
  }

  datagrams(version: 4 | 6, host: DatagramHost, owner?: object): Datagrams {
    return this.bind({ ip: version === 4 ? '127.0.0.1' : '::1', port: this.#freePort() }, host, owner);
  }

  /** A datagram socket at an address of its own: a server. */
  bind(at: Address, host: DatagramHost, owner?: object): Datagrams {
    const key = endpointText({ kind: 'tcp', ...at });
    if (this.#sockets.has(key)) throw new NetworkError('EADDRINUSE', `${key} is in use`);
    const socket = { host, owner };
    this.#sockets.set(key, socket);
    return {
      send: (bytes, to) => {
        if (this.#sockets.get(key) === socket) this.forge(at, to, bytes);
      },
      close: () => {
        if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
      },
    };
  }

  /** Sends a datagram with any sender. Nobody is told when nobody takes it. */
  forge(from: Address, to: Address, bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    const key = endpointText({ kind: 'tcp', ip: to.ip, port: to.port });
    if (this.#troubles.has(key) || this.#chance.happens(this.settings.datagramLoss)) return;
    this.#clock.at(millis(this.#clock.now() + latency(this.settings, this.#chance)), () => {
      this.#sockets.get(key)?.host.received(copy, from);
    });
  }

  /** Connections to that endpoint (as `endpointText` writes it) fail with `code`, until `heal`. */
  refuse(key: string, code = 'ECONNREFUSED'): void {
    this.#troubles.set(key, code);
  }

  /** Nothing that is sent to that endpoint is answered, until `heal`. */
  silence(key: string): void {
    this.#troubles.set(key, 'silent');
  }

  /** TLS handshakes with that endpoint fail for that reason, or never end (`silent`), until `heal`. */
  breakTls(key: string, reason: string): void {
    this.#tlsTroubles.set(key, reason);
  }

  heal(key: string): void {
    this.#troubles.delete(key);
    this.#tlsTroubles.delete(key);
  }

  /** Nobody can listen at that endpoint, or change how, until `healBind`. Who listens there already is not disturbed. */
  refuseBind(key: string, code = 'EACCES'): void {
    this.#bindTroubles.set(key, code);
  }

  healBind(key: string): void {
    this.#bindTroubles.delete(key);
  }

  /** Connections to the socket that listens at that endpoint are made and lost at once, as by a process without descriptors. */
  refuseAccept(key: string, code = 'EMFILE'): void {
    this.#acceptTroubles.set(key, code);
  }

  healAccept(key: string): void {
    this.#acceptTroubles.delete(key);
  }

  /** Who listens, and how. */
  get listening(): ReadonlyMap<string, ListenOptions> {
    return new Map([...this.#doors].map(([key, door]) => [key, door.options]));
  }

  /** Both ends of a connection hear ECONNRESET. */
  reset(pipe: Pipe): void {
    if (pipe instanceof SimPipe) pipe.reset();
  }

  /** Nothing of a connection arrives any more, and nobody is told. */
  cut(pipe: Pipe): void {
    if (pipe instanceof SimPipe) pipe.cut();
  }

  /** Connections that are not closed yet, oldest first. */
  get pipes(): Iterable<SimPipe> {
    return this.#pipes;
  }

  /**
   * A process has died: its doors and sockets are gone, and it hears nothing more. When only the process was killed the
   * system closes its connections; when the power was cut nobody is told anything.
   */
  die(owner: object, how: 'killed' | 'power cut'): void {
    for (const [key, door] of this.#doors) if (door.owner === owner) this.#doors.delete(key);
    for (const [key, socket] of this.#sockets) if (socket.owner === owner) this.#sockets.delete(key);
    for (const pipe of [...this.#pipes]) {
      if (pipe.owner !== owner) continue;
      pipe.abandon();
      if (how === 'power cut') pipe.cut();
      pipe.destroy();
    }
  }

  /** The machine has died: no door is open and every connection is reset. */
  crash(): void {
    this.#doors.clear();
    this.#sockets.clear();
    for (const pipe of [...this.#pipes]) pipe.reset();
  }

  #arrive(parcel: Parcel, to: Endpoint, ends: Crossing): void {
    if (parcel.kind !== 'connect') return;
    const trouble = this.#troubles.get(endpointText(to));
    if (trouble === 'silent') return ends.there.cut();
    const door = this.#door(to);
    if (trouble !== undefined || !door) {
      const code = trouble ?? (to.kind === 'unix' ? 'ENOENT' : 'ECONNREFUSED');
      return ends.back.send({ kind: 'refused', code });
    }
    ends.back.send({ kind: 'opened' });
    const notAccepted = this.#acceptTroubles.get(endpointText(door.at));
    if (notAccepted !== undefined) {
      ends.back.send({ kind: 'reset' });
      door.options.failed?.(new NetworkError(notAccepted, `simulated ${notAccepted}`));
      return;
    }
    const far = this.#pipe({ out: ends.back, in: ends.there, remote: ends.local, local: ends.remote }, ends.remote);
    far.owner = door.owner;
    far.serve(door.accept(far));
  }

  #pipe(ends: Ends, server: PeerAddress): SimPipe {
    const key = server.path ?? endpointText({ kind: 'tcp', ip: server.ip, port: server.port });
    const tlsTrouble = (): string | undefined => this.#tlsTroubles.get(key);
    const pipe = new SimPipe(this.#clock, { ...ends, tlsTrouble }, (gone) => this.#pipes.delete(gone));
    this.#pipes.add(pipe);
    return pipe;
  }

  #door(to: Endpoint): Door | undefined {
    const exact = this.#doors.get(endpointText(to));
    if (exact || to.kind === 'unix') return exact;
    return this.#doors.get(family(to.ip) === 4 ? `0.0.0.0:${to.port}` : `[::]:${to.port}`);
  }

  #freePort(): number {
    do this.#port = this.#port >= 65_535 ? 32_768 : this.#port + 1;
    while (this.#taken(this.#port));
    return this.#port;
  }

  #taken(port: number): boolean {
    for (const key of this.#sockets.keys()) if (key.endsWith(`:${port}`)) return true;
    for (const key of this.#doors.keys()) if (key.endsWith(`:${port}`)) return true;
    return false;
  }
}

/** Whether two sockets cannot listen at once: as on Linux, a wildcard has its port alone in its family. */
function overlap(one: Endpoint, other: Endpoint): boolean {
  if (one.kind === 'unix' || other.kind === 'unix') return endpointText(one) === endpointText(other);
  if (one.port !== other.port || family(one.ip) !== family(other.ip)) return false;
  return one.ip === other.ip || [one.ip, other.ip].some((ip) => ip === '0.0.0.0' || ip === '::');
}
