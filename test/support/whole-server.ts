import { FrameReader, frameKinds, textFrame } from '../../src/console/index.ts';
import type { Events } from '../../src/events/index.ts';
import { buildServer, type Server } from '../../src/main/index.ts';
import { type SimProcess, type SimWorld, simProcess, simWorld } from '../../src/world/sim/index.ts';
import { Client, endpoint } from './listening.ts';
import { serverConfiguration } from './server-configuration.ts';

/** Where `serverIn` reads its configuration. */
export const FILE = '/etc/impetus.conf';

/** Builds a server with everything it has, as its configuration says. */
export async function serverIn(
  world: SimWorld,
  observe: (events: Events) => void,
  process: SimProcess = simProcess(),
): Promise<Server> {
  const configuration = await serverConfiguration(world, FILE);
  return buildServer({ world, process, configuration, observe });
}

/** A whole server in a simulated world, with a configuration that tests write. */
export class WholeServer {
  readonly world: SimWorld = simWorld(1, { diskLatencyMillis: 1 });
  readonly process: SimProcess = simProcess();
  /** Lines of the paniclog. */
  readonly told: string[] = [];
  server!: Server;

  static async with(text: string): Promise<WholeServer> {
    const whole = new WholeServer();
    whole.#write(text);
    whole.server = await whole.world.clock.until(whole.#begin());
    return whole;
  }

  /** Another text, and a reload. */
  async reload(text: string): Promise<void> {
    this.#write(text);
    await this.world.clock.until(this.server.reload());
    await this.world.clock.advance(10);
  }

  async connect(to: string, from: string): Promise<Talker> {
    const talker = new Talker(this.world, to, from);
    await this.world.clock.advance(100);
    return talker;
  }

  /** A command at the console. @returns what it prints */
  async console(line: string): Promise<string> {
    const reader = new FrameReader();
    let printed = '';
    const pipe = this.world.network.connect(endpoint('/run/control'), undefined, {
      opened: () => undefined,
      data: (chunk) => {
        reader.receive(chunk);
        for (let next = reader.next(); next !== undefined; next = reader.next())
          if (next.kind === frameKinds.output) printed += next.payload.toString('utf8');
      },
      drained: () => undefined,
      closed: () => undefined,
    });
    pipe.write(textFrame(frameKinds.request, line));
    await this.world.clock.advance(100);
    pipe.end();
    await this.world.clock.advance(10);
    return printed;
  }

  #write(text: string): void {
    this.world.disk.put(
      FILE,
      `Spoolbase = "/spool" Hostname = "mx.test" Gateway = "10.9.9.9" Control_Listener { Listen "/run/control" { } } ${text}`,
    );
  }

  #begin(): Promise<Server> {
    const hear = (events: Events): void =>
      void events.subscribe(['diagnostic'], (event) => void this.told.push(`${event.level} ${event.text}`));
    return serverIn(this.world, hear, this.process);
  }
}

/** An SMTP client that says one line after the other. */
export class Talker extends Client {
  readonly #world: SimWorld;

  constructor(world: SimWorld, to: string, from: string) {
    super();
    this.#world = world;
    this.pipe = world.network.connect(endpoint(to), from, this);
  }

  /** @returns what was answered, without the last line end */
  async says(...lines: readonly string[]): Promise<string> {
    const before = this.heard.length;
    for (const line of lines) {
      this.pipe.write([Buffer.from(`${line}\r\n`)]);
      await this.#world.clock.advance(100);
    }
    return this.heard.slice(before).trimEnd();
  }
}
