import { type Endpoint, type Millis, millis } from '../../base/index.ts';
import type { Securing } from '../tls.ts';
import type {
  Chance,
  Clock,
  ConnectHost,
  DatagramHost,
  Datagrams,
  Listening,
  ListenOptions,
  Network,
  Pipe,
  PipeHost,
  World,
} from '../world.ts';
import type { SimChance } from './chance.ts';
import type { SimClock } from './clock.ts';
import type { SimDisk } from './disk.ts';
import { simHashing } from './hashing.ts';
import { SimKeyValues } from './key-values.ts';
import type { Life } from './life.ts';
import { type DiskWatch, MachineDisk } from './machine-disk.ts';
import type { SimNetwork } from './network.ts';
import type { SimPipe } from './pipe.ts';
import { SimStores } from './stores.ts';
import { SimTls } from './tls.ts';
import { SimWeb } from './web.ts';

export interface SimMachineParts {
  readonly clock: SimClock;
  readonly chance: SimChance;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  /** The address that its connections come from. */
  readonly ip: string;
  readonly watch?: DiskWatch;
  /** Sees each connection that it makes, and when it is done with it. */
  readonly connected?: (pipe: SimPipe, to: Endpoint) => ConnectionWatch;
}

/** Hears that the machine has given a connection up, or that it was closed: once, whatever comes first. */
export interface ConnectionWatch {
  over(): void;
}

/**
 * The world as one simulated process sees it. When it dies, its timers, sockets and files are dead at once and its
 * promises never settle; the rest of the world goes on, and a new process starts on the disk that is left.
 */
export class SimMachine implements World {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly disk: MachineDisk;
  readonly web = new SimWeb();
  readonly hashing = simHashing;
  readonly tls = new SimTls();
  readonly stores: SimStores;
  readonly keyValues = new SimKeyValues();
  readonly life: Life = { over: false };
  readonly #parts: SimMachineParts;

  constructor(parts: SimMachineParts) {
    this.#parts = parts;
    this.chance = parts.chance;
    this.clock = new MachineClock(parts.clock, this.life);
    this.stores = new SimStores(this.clock);
    this.network = new MachineNetwork(parts, this.life);
    this.disk = new MachineDisk(parts.disk, this.life, parts.watch);
  }

  /** kill -9: what was written is still in the page cache. @returns the disk for the next process */
  kill(): SimDisk {
    this.#die('killed');
    return this.#parts.disk;
  }

  /** @returns the disk as it comes back */
  cutPower(): SimDisk {
    this.#die('power cut');
    return this.#parts.disk.crash();
  }

  #die(how: 'killed' | 'power cut'): void {
    if (this.life.over) return;
    this.life.over = true;
    this.disk.release();
    this.#parts.network.die(this.life, how);
  }
}

class MachineClock implements Clock {
  readonly #clock: SimClock;
  readonly #life: Life;

  constructor(clock: SimClock, life: Life) {
    this.#clock = clock;
    this.#life = life;
  }

  now(): Millis {
    return this.#clock.now();
  }

  date(): Millis {
    return this.#clock.date();
  }

  at(due: Millis, run: () => void): Disposable {
    if (this.#life.over) return NOTHING;
    return this.#clock.at(millis(due), () => {
      if (!this.#life.over) run();
    });
  }

  defer(run: () => void): void {
    if (this.#life.over) return;
    this.#clock.defer(() => {
      if (!this.#life.over) run();
    });
  }
}

class MachineNetwork implements Network {
  readonly #parts: SimMachineParts;
  readonly #life: Life;

  constructor(parts: SimMachineParts, life: Life) {
    this.#parts = parts;
    this.#life = life;
  }

  listen(at: Endpoint, options: ListenOptions, accept: (pipe: Pipe) => PipeHost): Promise<Listening> {
    if (this.#life.over) return new Promise(() => undefined);
    return this.#parts.network.listen(at, options, accept, this.#life);
  }

  connect(to: Endpoint, from: string | undefined, host: ConnectHost): Pipe {
    const { network, ip, connected } = this.#parts;
    if (this.#life.over) return DEAD_PIPE;
    if (connected === undefined) return network.connect(to, from ?? ip, host, this.#life);
    // The watch exists only behind the call, and nothing is told before it.
    let watch: ConnectionWatch | undefined;
    const over = (): void => {
      watch?.over();
      watch = undefined;
    };
    const pipe = network.connect(
      to,
      from ?? ip,
      {
        opened: () => host.opened(),
        data: (chunk) => host.data(chunk),
        drained: () => host.drained(),
        secured: (facts) => host.secured?.(facts),
        ...(host.ended === undefined ? {} : { ended: () => host.ended?.() }),
        closed: (why) => {
          over();
          host.closed(why);
        },
      },
      this.#life,
    );
    watch = connected(pipe, to);
    return new WatchedPipe(pipe, over);
  }

  datagrams(version: 4 | 6, host: DatagramHost): Datagrams {
    if (this.#life.over) return { send: () => undefined, close: () => undefined };
    return this.#parts.network.datagrams(version, host, this.#life);
  }
}

/** Tells when the program is done with a connection, which is before its peer hears of it. */
class WatchedPipe implements Pipe {
  readonly #pipe: Pipe;
  readonly #over: () => void;

  constructor(pipe: Pipe, over: () => void) {
    this.#pipe = pipe;
    this.#over = over;
  }

  get remote() {
    return this.#pipe.remote;
  }

  get local() {
    return this.#pipe.local;
  }

  write(bytes: readonly Uint8Array[]): boolean {
    return this.#pipe.write(bytes);
  }

  secure(how: Securing): void {
    this.#pipe.secure(how);
  }

  pause(): void {
    this.#pipe.pause();
  }

  resume(): void {
    this.#pipe.resume();
  }

  end(): void {
    this.#over();
    this.#pipe.end();
  }

  destroy(): void {
    this.#over();
    this.#pipe.destroy();
  }
}

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

const NOWHERE = { ip: '', port: 0 };

const DEAD_PIPE: Pipe = {
  remote: NOWHERE,
  local: NOWHERE,
  write: () => true,
  secure: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
  destroy: () => undefined,
};
