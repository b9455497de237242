import { authOptions } from '../../src/auth/index.ts';
import { type Endpoint, parseEndpoint } from '../../src/base/index.ts';
import {
  configCommand,
  configSession,
  type LiveConfiguration,
  loadConfiguration,
  type Option,
} from '../../src/config/index.ts';
import type { Events, MailEvent } from '../../src/events/index.ts';
import {
  type DoorOrigin,
  type ListenerParts,
  type Listeners,
  listenerOptions,
  listeners,
} from '../../src/listener/index.ts';
import { receivingView, receptionOptions } from '../../src/reception/index.ts';
import { tlsOptions } from '../../src/tls/index.ts';
import type { Network, Pipe, PipeHost } from '../../src/world/index.ts';
import { type SimPipe, type SimWorld, simWorld } from '../../src/world/sim/index.ts';
import { MAIN } from './configuration.ts';

export const declared: readonly Option<unknown>[] = [
  ...listenerOptions,
  ...receptionOptions,
  ...authOptions,
  ...tlsOptions,
];

/** One connection as its server sees it. */
export interface Session {
  readonly origin: DoorOrigin;
  readonly pipe: Pipe;
}

/** A configuration file and its listeners in a simulated world. Whoever is served is greeted with `hello`. */
export class ListeningHouse {
  readonly world: SimWorld = simWorld();
  readonly recorded: MailEvent[] = [];
  /** Lines of the paniclog. */
  readonly lines: string[] = [];
  readonly sessions: Session[] = [];
  /** What the network was asked to do: `+key` opened, `-key` closed, `~key` changed. */
  readonly steps: string[] = [];
  configuration!: LiveConfiguration;
  doors!: Listeners;

  static async with(text: string, parts: Partial<ListenerParts> = {}): Promise<ListeningHouse> {
    const house = new ListeningHouse();
    await house.build(text, parts);
    await house.doors.open();
    house.steps.length = 0;
    return house;
  }

  /** Everything but the opening. */
  async build(text: string, parts: Partial<ListenerParts> = {}): Promise<void> {
    const { clock, disk } = this.world;
    await disk.makeDirectory('/etc/impetus');
    await disk.replace(MAIN, Buffer.from(text));
    this.configuration = await loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] });
    const events: Events = {
      record: (event) => void this.recorded.push(event),
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      diagnose: (level, _module, line) => void this.lines.push(`${level} ${line}`),
    };
    const handler = (pipe: Pipe, origin: DoorOrigin): PipeHost => {
      this.sessions.push({ origin, pipe });
      clock.defer(() => void pipe.write([Buffer.from('hello')]));
      return { data: () => undefined, drained: () => undefined, closed: origin.ended };
    };
    this.doors = listeners({
      network: this.#watched(),
      clock,
      configuration: this.configuration,
      events,
      handlers: { esmtp_listener: handler, control_listener: handler },
      control: { kind: 'unix', path: '/c' },
      ...parts,
    });
  }

  /** Endpoints that are open, sorted; the console's is left out. */
  get keys(): string[] {
    return [...this.world.network.listening.keys()].filter((key) => key !== '/c').sort();
  }

  /** A new text of the file, and a reload. @throws ConfigErrors */
  async reload(text: string): Promise<void> {
    await this.world.disk.replace(MAIN, Buffer.from(text));
    await this.configuration.reload();
    await this.world.clock.settle();
  }

  /** A command of the console. @returns what it prints */
  async config(line: string): Promise<string> {
    const { lines } = await configCommand(this.configuration, configSession(), line);
    await this.world.clock.settle();
    return lines.join('\n');
  }

  async connect(to: string, from?: string): Promise<Client> {
    const client = this.connectLater(to, from);
    await this.world.clock.advance(10);
    return client;
  }

  /** Time has to pass before it is connected. */
  connectLater(to: string, from = '192.0.2.9'): Client {
    const client = new Client();
    client.pipe = this.world.network.connect(endpoint(to), to.startsWith('/') ? undefined : from, client);
    return client;
  }

  /** The values that hold for a client, as who serves it asks for them. */
  get lastView() {
    const { origin, pipe } = this.sessions.at(-1) as Session;
    return receivingView(origin.generation, 'esmtp_listener', origin.endpoint, pipe.remote.ip || '127.0.0.1').view;
  }

  #watched(): Pick<Network, 'listen'> {
    const { network } = this.world;
    return {
      listen: async (at, options, accept) => {
        const listening = await network.listen(at, options, accept);
        const key = at.kind === 'unix' ? at.path : [...network.listening.keys()].at(-1);
        this.steps.push(`+${key}`);
        return {
          at: listening.at,
          change: async (next) => {
            await listening.change(next);
            this.steps.push(`~${key}`);
          },
          [Symbol.asyncDispose]: async () => {
            await listening[Symbol.asyncDispose]();
            this.steps.push(`-${key}`);
          },
        };
      },
    };
  }
}

/** A client that only listens. */
export class Client {
  pipe!: SimPipe;
  heard = '';
  state: 'trying' | 'open' | 'closed' = 'trying';
  why: string | undefined;

  opened(): void {
    this.state = 'open';
  }

  data(chunk: Uint8Array): void {
    this.heard += Buffer.from(chunk).toString('latin1');
  }

  drained(): void {}

  closed(why?: { readonly code: string }): void {
    this.state = 'closed';
    this.why = why?.code;
  }
}

export function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed.kind === 'error') throw new Error(parsed.text);
  return parsed;
}
