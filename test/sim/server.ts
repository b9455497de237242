import { endpointText, millis } from '../../src/base/index.ts';
import { ConfigErrors, type Generation, type LiveConfiguration, loadConfiguration } from '../../src/config/index.ts';
import type { Events } from '../../src/events/index.ts';
import {
  buildServer,
  declaredOptions,
  ListenError,
  moduleNames,
  type Server,
  SpoolError,
} from '../../src/main/index.ts';
import type { Ledger } from '../../src/queue/index.ts';
import {
  type ConnectionWatch,
  type DiskOperation,
  type SimDisk,
  SimMachine,
  type SimPipe,
  type SimProcess,
  simProcess,
} from '../../src/world/sim/index.ts';
import type { Crashes } from './crashes.ts';
import { CONFIGURATION, SERVER_IP, SERVER_NAME } from './places.ts';
import type { Plan } from './plan.ts';
import type { Town } from './town.ts';
import type { Violations } from './violations.ts';

/** How long the server may take to close in order. */
export const CLOSE_PATIENCE = 20_000;
/** What closing may take beyond that: consoles that do not read, a bounce that is being stored, a slow disk. */
const CLOSE_SLACK = 60_000;

/** Hears what happens to the server, and in it. */
export interface ServerHearer {
  /** A new life begins: its events can be heard from the first on. */
  born(events: Events): void;
  /** It serves. */
  ready(server: Server, configuration: LiveConfiguration): void;
  committed(next: Generation): void;
  died(how: Death): void;
  connected(pipe: SimPipe, to: string): ConnectionWatch;
}

export type Death = 'killed' | 'power cut' | 'closed' | 'could not start';

/** The server over its lives: started, crashed, closed in order, started again on what its disk has kept. */
export class SimulatedServer {
  readonly #town: Town;
  readonly #plan: Plan;
  readonly #crashes: Crashes;
  readonly #violations: Violations;
  readonly #hearer: ServerHearer;
  disk: SimDisk;
  machine: SimMachine | undefined;
  /** While it serves. */
  running: { readonly server: Server; readonly configuration: LiveConfiguration } | undefined;
  /** From then on until its end. */
  ledger: Ledger | undefined;
  process: SimProcess | undefined;
  /** Operations of the disk until it dies; undefined while nobody has decided so. */
  doomedIn: { left: number; readonly how: 'killed' | 'power cut' } | undefined;
  lives = 0;
  /** The file on disk is wrong, and somebody knows it. */
  misconfigured = false;
  /** No more lives: the simulation is over. */
  retired = false;

  constructor(town: Town, plan: Plan, crashes: Crashes, violations: Violations, hearer: ServerHearer) {
    this.#town = town;
    this.#plan = plan;
    this.#crashes = crashes;
    this.#violations = violations;
    this.#hearer = hearer;
    this.disk = town.disk;
  }

  /** Begins a life. Nothing is awaited: it serves when `running` is there. */
  start(): void {
    if (this.machine !== undefined || this.retired) return;
    this.lives++;
    const { clock, chance, network } = this.#town;
    const machine = new SimMachine({
      clock,
      chance: chance.fork(),
      network,
      disk: this.disk,
      ip: SERVER_IP,
      watch: {
        began: (operation, path) => this.#began(machine, operation, path),
        ended: (operation, path, trouble) => this.#crashes.ended(operation, path, trouble),
      },
      connected: (pipe, to) => this.#hearer.connected(pipe, endpointText(to)),
    });
    this.machine = machine;
    this.process = simProcess({ hostName: SERVER_NAME });
    this.#town.note('server', `life ${this.lives} begins`);
    void this.#live(machine, this.process).catch((error: unknown) => this.#notStarted(machine, error));
  }

  /** Dies now. */
  crash(how: 'killed' | 'power cut'): void {
    const { machine } = this;
    if (machine === undefined) return;
    this.#town.note('server', how);
    this.disk = how === 'killed' ? machine.kill() : machine.cutPower();
    this.#ended(how);
  }

  /** Closes in order, and is gone. */
  async close(): Promise<void> {
    const { machine, running } = this;
    if (machine === undefined || running === undefined) return;
    this.running = undefined;
    this.#town.note('server', 'closes');
    const { clock } = this.#town;
    const late = clock.at(millis(clock.now() + CLOSE_PATIENCE + CLOSE_SLACK), () => {
      if (this.machine === machine) this.#violations.report('shutdown', 'the server does not close in time');
    });
    await running.server.close(CLOSE_PATIENCE);
    late[Symbol.dispose]();
    if (this.machine !== machine) return;
    this.#town.note('server', 'closed');
    this.disk = machine.kill();
    this.#ended('closed');
  }

  async #live(machine: SimMachine, process: SimProcess): Promise<void> {
    const configuration = await loadConfiguration({
      disk: machine.disk,
      clock: machine.clock,
      file: CONFIGURATION,
      searchPath: [],
      declared: declaredOptions,
      modules: moduleNames,
    });
    const server = await buildServer({
      world: machine,
      process,
      configuration,
      observe: (events) => this.#hearer.born(events),
      spool: { segmentBytes: this.#plan.segmentBytes, compactionSettleMillis: this.#plan.compactionSettleMillis },
    });
    this.running = { server, configuration };
    this.ledger = server.ledger;
    this.#town.note('server', 'serves');
    this.#hearer.ready(server, configuration);
    configuration.onCommit((next) => this.#hearer.committed(next));
    server.onShutdown(() => void this.close());
  }

  /** A disk that fails may keep it from starting; it is tried again, as an operator would. */
  #notStarted(machine: SimMachine, error: unknown): void {
    if (this.machine !== machine) return;
    const expected = error instanceof SpoolError || error instanceof ListenError || error instanceof ConfigErrors;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const known = error instanceof ConfigErrors && this.misconfigured;
    if (
      !known &&
      (!expected || this.#crashes.troublesIn(this.#town.clock.now() - 120_000, this.#town.clock.now()) === 0)
    )
      this.#violations.report('start', `the server does not start: ${text}`);
    this.#town.note('server', `does not start: ${text.split('\n')[0]}`);
    this.disk = machine.kill();
    this.#ended('could not start');
  }

  #ended(how: Death): void {
    this.machine = undefined;
    this.running = undefined;
    this.ledger = undefined;
    this.process = undefined;
    this.doomedIn = undefined;
    this.#crashes.died(how === 'closed');
    this.#hearer.died(how);
  }

  #began(machine: SimMachine, operation: DiskOperation, path: string): void {
    const doom = this.doomedIn;
    if (doom !== undefined && this.machine === machine && doom.left-- <= 0) {
      this.#town.note('server', `dies before ${operation} ${path}`);
      this.crash(doom.how);
      return;
    }
    this.#crashes.began(operation, path);
  }
}
