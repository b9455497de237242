import type { Endpoint } from '../../../src/base/index.ts';
import {
  type ConsoleServer,
  consoleServer,
  type FrameKind,
  FrameReader,
  frameKinds,
  textFrame,
} from '../../../src/console/index.ts';
import type { ConnectHost, Pipe } from '../../../src/world/index.ts';
import { SimChance } from '../../../src/world/sim/chance.ts';
import type { SimClock } from '../../../src/world/sim/clock.ts';
import { SimNetwork } from '../../../src/world/sim/network.ts';
import { type FakeHouse, fakeOrigin } from './fake-house.ts';

export const socket: Endpoint = { kind: 'unix', path: '/run/impetus/2025' };

/** A console server behind a simulated network. */
export interface Served {
  readonly house: FakeHouse;
  readonly server: ConsoleServer;
  readonly network: SimNetwork;
  /** Where it listens. */
  readonly at: Endpoint;
  /** One for each connection, in their order. */
  readonly origins: ReturnType<typeof fakeOrigin>[];
  peer(at?: Endpoint): Peer;
  /** From an address of its own. */
  peerFrom(ip: string): Peer;
}

export async function serve(house: FakeHouse, idleSeconds = 60, at: Endpoint = socket): Promise<Served> {
  const network = new SimNetwork(house.clock, new SimChance(1));
  const server = consoleServer(house);
  const origins: ReturnType<typeof fakeOrigin>[] = [];
  await network.listen(at, { backlog: 1, fileMode: 0o600 }, (pipe) => {
    const origin = fakeOrigin(at, idleSeconds, house.values);
    origins.push(origin);
    return server.converse(pipe, origin);
  });
  return {
    house,
    server,
    network,
    at,
    origins,
    peer: (to = at) => new Peer(network, to, house.clock),
    peerFrom: (ip) => new Peer(network, at, house.clock, ip),
  };
}

/** A client that shows frames as lines: `hello …`, `output …`, `end 0`, `bye …`. */
export class Peer implements ConnectHost {
  readonly pipe: Pipe;
  readonly heard: string[] = [];
  isClosed = false;
  readonly #clock: SimClock;
  readonly #reader = new FrameReader();

  constructor(network: SimNetwork, to: Endpoint, clock: SimClock, from?: string) {
    this.#clock = clock;
    this.pipe = network.connect(to, from, this);
  }

  /** Sends and lets a little time pass. @returns what has come since */
  async says(...lines: string[]): Promise<string[]> {
    for (const line of lines) this.send(frameKinds.request, line);
    return this.hears(100);
  }

  async hears(millis: number): Promise<string[]> {
    const before = this.heard.length;
    await this.#clock.advance(millis);
    return this.heard.slice(before);
  }

  send(kind: FrameKind, text: string): void {
    this.pipe.write(textFrame(kind, text));
  }

  opened(): void {}

  data(chunk: Uint8Array): void {
    this.#reader.receive(chunk);
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) {
      const name = Object.entries(frameKinds).find(([, kind]) => kind === next?.kind)?.[0] ?? '?';
      this.heard.push(`${name} ${name === 'end' ? next.payload[0] : next.payload.toString('utf8')}`);
    }
  }

  drained(): void {}

  closed(): void {
    this.isClosed = true;
  }
}
