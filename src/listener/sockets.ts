import { Sparing } from '../events/index.ts';
import { type Listening, type ListenOptions, NetworkError, type Pipe, type PipeHost } from '../world/index.ts';
import { Doorman } from './doorman.ts';
import type { ListenerParts } from './parts.ts';
import type { ListenPlan } from './plan.ts';
import type { ProxyDoor } from './proxy-door.ts';
import type { SessionCaps } from './session-caps.ts';
import { conflict, isWildcard, type ListenSocket } from './wanted.ts';

/** A socket could not be opened. The message names it. */
export class ListenError extends Error {
  readonly code = 'IMP_LISTEN';
  readonly endpoint: string;
  constructor(endpoint: string, message: string, cause: unknown) {
    super(message, { cause });
    this.endpoint = endpoint;
  }
}

interface OpenSocket {
  readonly doorman: Doorman;
  readonly listening: Listening;
}

/** The sockets that are open, and the steps of a plan, each with the way back. */
export class Sockets {
  readonly #parts: ListenerParts;
  readonly #caps: SessionCaps;
  readonly #sparing: Sparing;
  readonly #lost: (socket: ListenSocket, why: string) => void;
  readonly #waiting = new Set<ProxyDoor>();
  readonly #open = new Map<string, OpenSocket>();

  /** @param lost  a socket that was closed for a commit which failed could not be opened again */
  constructor(parts: ListenerParts, caps: SessionCaps, lost: (socket: ListenSocket, why: string) => void) {
    this.#lost = lost;
    this.#parts = parts;
    this.#caps = caps;
    this.#sparing = new Sparing(parts.events, parts.clock);
  }

  get live(): readonly ListenSocket[] {
    return [...this.#open.values()].map(({ doorman }) => doorman.socket);
  }

  /**
   * Everything of a plan but the last step: new sockets are open and hold their clients, and those that are to go are
   * open too, unless they stood in the way.
   *
   * @param mayFail  asked about a socket that cannot be opened; false ends the whole
   * @returns takes all of it back
   * @throws ListenError; everything is as before then
   */
  async begin(
    plan: ListenPlan,
    mayFail: (socket: ListenSocket, why: ListenError) => boolean,
  ): Promise<() => Promise<void>> {
    const back: (() => Promise<void>)[] = [];
    const rollback = async (): Promise<void> => {
      for (let step = back.pop(); step !== undefined; step = back.pop()) await step();
    };
    const start = async (socket: ListenSocket): Promise<void> => {
      try {
        await this.#start(socket);
        back.push(() => this.close(socket.key));
      } catch (error) {
        if (!(error instanceof ListenError) || !mayFail(socket, error)) throw error;
      }
    };
    try {
      for (const socket of plan.open) await start(socket);
      for (const port of plan.reopen) {
        for (const socket of port.close) {
          // Steps are taken back in the opposite order: what was opened in its place is closed by then.
          back.push(() => this.#startAgain(socket));
          await this.close(socket.key);
        }
        for (const socket of port.open) await start(socket);
      }
      for (const { from, to } of plan.change) {
        await this.#change(to);
        back.push(() => this.#change(from).catch((error: unknown) => this.#complain(reasonOf(error))));
      }
    } catch (error) {
      await rollback();
      throw error;
    }
    return rollback;
  }

  /** The plan's generation is current: clients are served as it says, and the rest is closed. */
  async finish(plan: ListenPlan): Promise<void> {
    const changed = plan.change.map(({ to }) => to);
    const opened = [...plan.open, ...plan.reopen.flatMap((port) => port.open)];
    for (const socket of [...plan.keep, ...changed, ...opened]) this.#open.get(socket.key)?.doorman.serve(socket);
    for (const socket of plan.close) await this.close(socket.key);
  }

  async close(key: string): Promise<void> {
    const socket = this.#open.get(key);
    if (socket === undefined) return;
    this.#open.delete(key);
    socket.doorman.retire();
    await socket.listening[Symbol.asyncDispose]();
  }

  async closeAll(): Promise<void> {
    for (const key of [...this.#open.keys()]) await this.close(key);
    for (const door of [...this.#waiting]) door.leave();
    this.#sparing[Symbol.dispose]();
  }

  async #start(socket: ListenSocket): Promise<Doorman> {
    const { key } = socket;
    const doorman = new Doorman(this.#parts, this.#caps, this.#sparing, this.#waiting, socket);
    const accept = (pipe: Pipe): PipeHost => doorman.accept(pipe);
    try {
      const listening = await this.#parts.network.listen(socket.endpoint, this.#options(socket), accept);
      this.#open.set(key, { doorman, listening });
      return doorman;
    } catch (error) {
      throw this.#listenError(socket, error);
    }
  }

  async #startAgain(socket: ListenSocket): Promise<void> {
    try {
      (await this.#start(socket)).serve(socket);
    } catch (error) {
      this.#lost(socket, reasonOf(error));
      this.#complain(`${socket.key} was closed for a commit that failed, and is lost: ${reasonOf(error)}`);
    }
  }

  async #change(to: ListenSocket): Promise<void> {
    try {
      await this.#open.get(to.key)?.listening.change(this.#options(to));
    } catch (error) {
      throw new ListenError(to.key, `cannot change ${to.key}: ${reasonOf(error)}`, error);
    }
  }

  #options(socket: ListenSocket): ListenOptions {
    const { key, backlog, fileMode, noDelay } = socket;
    const failed = (why: NetworkError): void =>
      this.#sparing.tell(
        `accept ${key} ${why.code}`,
        'ERROR',
        'listener',
        `${key}: a connection could not be accepted: ${why.message}`,
      );
    return { backlog, fileMode, noDelay, failed };
  }

  #complain(text: string): void {
    this.#parts.events.diagnose('CRITICAL', 'listener', text);
  }

  #listenError(socket: ListenSocket, error: unknown): ListenError {
    const { endpoint, key } = socket;
    let reason = reasonOf(error);
    if (error instanceof NetworkError && endpoint.kind === 'tcp') {
      const other = this.live.find((each) => conflict(each, socket));
      if (error.code === 'EADDRINUSE' && other !== undefined) {
        const [all, one] = isWildcard(socket) ? [socket, other] : [other, socket];
        reason = `${all.key.startsWith('[') ? '[*]' : '*'}:${endpoint.port} overlaps ${one.key}`;
      } else if (endpoint.port < 1024 && (error.code === 'EACCES' || error.code === 'EPERM')) {
        reason += ': a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE';
      }
    }
    return new ListenError(key, `cannot bind ${key}: ${reason}`, error);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
