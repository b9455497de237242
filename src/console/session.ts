import { authorizationParameters, enableAuthorization } from '../auth/index.ts';
import { endpointText } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { clientAddress, peerText } from '../reception/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import { Accounts, withoutSecrets } from './accounts.ts';
import type { Admission } from './admission.ts';
import { answer } from './answer.ts';
import { type Caller, commandText, isFree, permission } from './authorization.ts';
import { exitOf } from './command.ts';
import { complete } from './completion.ts';
import { after, Drain } from './drain.ts';
import { Entrance } from './entrance.ts';
import type { FloodLog } from './flood-log.ts';
import {
  type Frame,
  FrameError,
  FrameReader,
  frame,
  frameKinds,
  helloFrame,
  maxPayload,
  protocolVersion,
  textFrame,
} from './frames.ts';
import type { ConfigSession, House } from './house.ts';
import { loginDirectory, timeout } from './options.ts';
import type { ConsoleOrigin } from './origin.ts';
import { streamOutput } from './output-stream.ts';

/** Completions in one answer: bytes. */
const mostCompletions = 16_384;
/** While a command works and prints nothing, an empty frame tells the client that it is not dead. */
const stillWorkingMillis = 15_000;
/** What a client may send ahead while a command runs. */
const maxAhead = 2 * maxPayload;
/** Where idle consoles stay for ever, a login still has to come. */
const loginSeconds = 60;
/** At shutdown: how long a console that does not read may hold us up. */
const graceMillis = 1000;

/** One console. Commands run one after the other, answers come in their order. */
export class ConsoleSession implements PipeHost {
  readonly #house: House;
  readonly #pipe: Pipe;
  readonly #origin: ConsoleOrigin;
  readonly #idleSeconds: number;
  readonly #where: string;
  readonly #ended: (session: ConsoleSession) => void;
  readonly #floods: FloodLog;
  readonly #broke: () => void;
  readonly #accounts: Accounts;
  readonly #entrance: Entrance;
  readonly #config: ConfigSession;
  readonly #reader = new FrameReader();
  readonly #drain: Drain;
  #idle: Disposable | undefined;
  #patience: Disposable | undefined;
  #grace: Disposable | undefined;
  #busy = false;
  #paused = false;
  #gone = false;
  /** Set by us when the conversation is over: no further frame is read. */
  #over = false;
  #finish: string | undefined;

  /**
   * @param admission  how the client comes in
   * @param ended  called when it is gone
   */
  constructor(
    { house, floods, broke, ended }: SessionParts,
    pipe: Pipe,
    origin: ConsoleOrigin,
    view: View,
    admission: Exclude<Admission, { kind: 'refused' }>,
  ) {
    this.#house = house;
    this.#pipe = pipe;
    this.#origin = origin;
    this.#floods = floods;
    this.#broke = broke;
    this.#ended = ended;
    this.#config = house.configCommands.open(`console ${endpointText(origin.endpoint)}`);
    this.#idleSeconds = view.get(timeout);
    this.#drain = new Drain(house.clock, pipe, this.#idleSeconds * 1000);
    this.#accounts = accountsOf(house, pipe, origin);
    this.#where = whereOf(pipe, origin);
    this.#entrance = new Entrance({
      house,
      admission,
      socket: origin.endpoint.kind === 'unix' ? origin.endpoint.path : undefined,
      loginDirectory: view.get(loginDirectory),
      accounts: this.#accounts,
      floods,
      where: this.#where,
      send: (bytes) => this.#drain.write(bytes),
    });
  }

  /** The client has to log in and has not. */
  get waitsForLogin(): boolean {
    return !this.#over && this.#entrance.closed;
  }

  /** The conversation is over, though the client may take its time to close. */
  get over(): boolean {
    return this.#over;
  }

  get ip(): string {
    return this.#pipe.remote.ip;
  }

  /** Says hello, and starts to wait for commands. */
  begin(): void {
    void this.#work(() => this.#greet());
  }

  data(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#reader.receive(chunk);
    if (!this.#busy) {
      void this.#work();
    } else if (this.#reader.buffered > maxAhead && !this.#paused) {
      this.#paused = true;
      this.#pipe.pause();
    }
  }

  drained(): void {
    this.#drain.drained();
  }

  closed(): void {
    this.#gone = true;
    this.#over = true;
    this.#idle?.[Symbol.dispose]();
    this.#patience?.[Symbol.dispose]();
    this.#grace?.[Symbol.dispose]();
    this.#drain.closed();
    // A running command still uses the session's transaction; it is disposed when that command has stopped.
    if (!this.#busy) this.#config[Symbol.dispose]();
    this.#origin.ended();
    this.#ended(this);
  }

  /** The server closes: an idle console at once, a busy one as soon as its command can be stopped. */
  finish(why: string): void {
    this.#finish = why;
    this.#grace = this.#house.clock.at(after(this.#house.clock, graceMillis), () => this.#pipe.destroy());
    if (!this.#busy) this.#bye(why);
  }

  /** Others need the place of somebody who has not logged in. */
  makeRoom(): void {
    this.#bye('too many clients wait for a login');
  }

  async #greet(): Promise<void> {
    const { product, machine } = this.#house;
    const entrance = await this.#entrance.hello();
    if (this.#over) return;
    this.#drain.write(
      helloFrame({
        protocol: protocolVersion,
        product: product.name,
        version: product.version,
        host: machine.hostName,
        ...entrance,
      }),
    );
    if (this.#entrance.closed) this.#waitForLogin();
  }

  async #work(first?: () => Promise<void>): Promise<void> {
    this.#busy = true;
    this.#idle?.[Symbol.dispose]();
    try {
      await first?.();
      for (;;) {
        if (this.#over) break;
        if (this.#finish !== undefined) {
          this.#bye(this.#finish);
          break;
        }
        const next = this.#reader.next();
        if (next === undefined) break;
        await this.#serve(next);
        // Answers that are short count too: who asks on and on and never reads must wait as well.
        if (this.#drain.waiting) await this.#drain.ready();
      }
    } catch (trouble) {
      this.#broken(trouble);
    }
    this.#busy = false;
    if (this.#gone) this.#config[Symbol.dispose]();
    if (this.#over) return;
    if (this.#paused) {
      this.#paused = false;
      this.#pipe.resume();
    }
    this.#waitForCommand();
  }

  async #serve({ kind, payload }: Frame): Promise<void> {
    if (this.#entrance.user === undefined) {
      const taken = await this.#entrance.take(kind, payload);
      if (!this.#entrance.closed) this.#patience?.[Symbol.dispose]();
      if (taken === 'over') this.#bye('too many failed logins');
      if (taken !== 'command') return;
    }
    const line = payload.toString('utf8');
    if (kind === frameKinds.complete) {
      this.#drain.write(textFrame(frameKinds.output, complete(this.#house, line).join('\n').slice(0, mostCompletions)));
      this.#drain.write(frame(frameKinds.end, Uint8Array.of(0)));
      return;
    }
    if (kind !== frameKinds.request) throw new FrameError(`frame kind ${kind} is not known`);
    await this.#run(line);
  }

  async #run(line: string): Promise<void> {
    // A line break would forge lines in the logs; no command needs a control character.
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) {
      this.#drain.write(textFrame(frameKinds.output, 'control characters are not allowed in a command\n'));
      this.#drain.write(frame(frameKinds.end, Uint8Array.of(exitOf.usage)));
      return;
    }
    const command = line.trim();
    const caller = await this.#caller();
    if (this.#gone || !this.#permits(command, caller)) return;
    const working = this.#everySoOften();
    let code: number;
    let quits = false;
    try {
      const output = answer(this.#house, this.#config, command, caller);
      const result = await streamOutput(output, this.#drain, () => this.#over || this.#finish !== undefined);
      quits = result === 'quit';
      code = exitOf[result];
    } catch (trouble) {
      // A bug of ours ends this command, not the console, and the operator learns where to look.
      this.#house.events.diagnose(
        'ERROR',
        'CONSL',
        `${withoutSecrets(command)}: ${trouble instanceof Error ? (trouble.stack ?? trouble.message) : String(trouble)}`,
      );
      this.#drain.write(textFrame(frameKinds.output, 'the command failed: see the paniclog\n'));
      code = exitOf.failed;
    } finally {
      working[Symbol.dispose]();
    }
    this.#drain.write(frame(frameKinds.end, Uint8Array.of(code)));
    if (quits) this.#close();
  }

  /** The values that hold for the client now: what a commit takes away is taken away from open consoles too. */
  get #view(): View {
    const { current } = this.#house.configuration;
    return current.receiving('control_listener', this.#origin.endpoint, clientAddress(this.#pipe.remote));
  }

  async #caller(): Promise<Caller> {
    const user = this.#entrance.user ?? '';
    const parameters = this.#view.get(authorizationParameters);
    if (parameters === undefined) return { user, roles: [], groups: [] };
    const { stores } = this.#house.access;
    const groups = await stores.roles(parameters.store);
    const roles = user === '' ? [] : await stores.rolesOf(parameters.store, user);
    return { user, roles, groups: groups ?? [] };
  }

  /** Accounts a command, and refuses it in words when nothing allows it. */
  #permits(command: string, caller: Caller): boolean {
    const { configuration, events } = this.#house;
    const enforced = this.#view.get(enableAuthorization) === true;
    const text = commandText(command);
    const judged =
      enforced && text !== '' && !isFree(text) ? permission(configuration.current, caller, text) : undefined;
    this.#accounts.command(caller.user, command, judged, enforced);
    const by = caller.user === '' ? this.#where : `${this.#where} ${caller.user}`;
    const refused = judged !== undefined && judged.kind !== 'allowed';
    const level = /^(?:config )?reload\b/.test(text) ? 'NOTICE' : 'INFO';
    events.diagnose(level, 'CONSL', `${by}: ${withoutSecrets(command)}${refused ? ' (not authorized)' : ''}`);
    if (!refused) return true;
    this.#drain.write(textFrame(frameKinds.output, 'Not Authorized for this command\n'));
    this.#drain.write(frame(frameKinds.end, Uint8Array.of(exitOf.unauthorized)));
    return false;
  }

  #everySoOften(): Disposable {
    const { clock } = this.#house;
    let timer: Disposable;
    const tell = (): void => {
      if (!this.#over && !this.#drain.waiting) this.#drain.write(frame(frameKinds.output, new Uint8Array(0)));
      timer = clock.at(after(this.#house.clock, stillWorkingMillis), tell);
    };
    timer = clock.at(after(this.#house.clock, stillWorkingMillis), tell);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }

  #waitForCommand(): void {
    const idleSeconds = this.#idleSeconds;
    if (idleSeconds <= 0 || this.#entrance.closed) return;
    const lost = this.#config.open ? '; the open configuration transaction was rolled back' : '';
    this.#idle = this.#house.clock.at(after(this.#house.clock, idleSeconds * 1000), () =>
      this.#bye(`idle for ${idleSeconds} seconds${lost}`),
    );
  }

  /** From the hello on, whatever the client sends meanwhile. */
  #waitForLogin(): void {
    const most = this.#idleSeconds > 0 ? this.#idleSeconds : loginSeconds;
    this.#patience = this.#house.clock.at(after(this.#house.clock, most * 1000), () => {
      if (this.#over) return;
      this.#entrance.timedOut();
      this.#bye(`no login within ${most} seconds`);
    });
  }

  #bye(why: string): void {
    if (this.#over) return;
    this.#drain.write(textFrame(frameKinds.bye, why));
    this.#close();
  }

  #close(): void {
    this.#over = true;
    this.#idle?.[Symbol.dispose]();
    this.#patience?.[Symbol.dispose]();
    this.#pipe.end();
  }

  #broken(trouble: unknown): void {
    const why = trouble instanceof FrameError ? trouble.message : 'internal error, see the paniclog';
    const detail = trouble instanceof Error ? (trouble.stack ?? trouble.message) : String(trouble);
    if (trouble instanceof FrameError) {
      this.#broke();
      this.#floods.tell('garbage', 'WARNING', `${this.#where}: ${why}`);
    } else this.#house.events.diagnose('ERROR', 'CONSL', `${this.#where}: ${detail}`);
    this.#bye(why);
  }
}

/** What all consoles of a server share. */
export interface SessionParts {
  readonly house: House;
  readonly floods: FloodLog;
  /** The client spoke another protocol, or none. */
  readonly broke: () => void;
  readonly ended: (session: ConsoleSession) => void;
}

/** Accounting for a client, also for one that is turned away. */
export function accountsOf({ clock, events, configuration }: House, pipe: Pipe, origin: ConsoleOrigin): Accounts {
  return new Accounts({
    clock,
    events,
    generation: () => configuration.current.number,
    listener: endpointText(origin.endpoint),
    peer: pipe.remote.ip === '' ? '' : peerText(pipe.remote),
  });
}

/** For the paniclog: `127.0.0.1:2025 from 127.0.0.1:40000`, `/run/impetus/2025`. */
export const whereOf = ({ remote }: Pipe, { endpoint }: ConsoleOrigin): string =>
  remote.ip === '' ? endpointText(endpoint) : `${endpointText(endpoint)} from ${peerText(remote)}`;
