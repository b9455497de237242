import type { Endpoint } from '../base/index.ts';
import { ConfigError, type Generation, type ListenerType } from '../config/index.ts';
import { Sparing } from '../events/index.ts';
import { type Listening, NetworkError } from '../world/index.ts';
import { doorman } from './doorman.ts';
import type { ListenerParts } from './parts.ts';
import { SessionCaps } from './session-caps.ts';
import { conflict, DEFAULT_CONTROL, inOrder, isWildcard, sameSocket, type Wanted, wantedSockets } from './wanted.ts';

/** A socket that is open. */
export interface OpenDoor {
  readonly listener: ListenerType;
  readonly endpoint: Endpoint;
  /** Canonical text of the endpoint. */
  readonly key: string;
}

/** A socket could not be opened. The message names it. */
export class ListenError extends Error {
  readonly code = 'IMP_LISTEN';
  readonly endpoint: string;
  constructor(endpoint: string, message: string, cause: unknown) {
    super(message, { cause });
    this.endpoint = endpoint;
  }
}

export interface Listeners {
  /**
   * Opens every enabled Listen, and follows the configuration from then on. Call it when whatever else may veto a
   * commit has subscribed: sockets that a commit needs are opened when it is checked.
   *
   * @throws ListenError; nothing stays open then
   */
  open(): Promise<void>;
  /** Accepts no more. Sessions stay. */
  close(): Promise<void>;
  readonly doors: readonly OpenDoor[];
  /** For people: `ESMTP_Listener 127.0.0.1:2525`. */
  readonly names: readonly string[];
}

interface Live {
  wanted: Wanted;
  readonly listening: Listening;
}

/** Which sockets are open, and how one set becomes another without losing what is in both (configuration 9.6). */
export function listeners(parts: ListenerParts): Listeners {
  const { configuration, events, network } = parts;
  const live = new Map<string, Live>();
  const caps = new SessionCaps();
  const sparing = new Sparing(events, parts.clock);
  const subscriptions: Disposable[] = [];
  /** What a commit that has been checked still has to do. When somebody else vetoes it, the next check begins anew. */
  let pending: { readonly wanted: ReadonlyMap<string, Wanted>; readonly leaving: readonly Live[] } | undefined;
  let turn: Promise<void> = Promise.resolve();
  let closed = false;

  /** Checks and the close wait for each other. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    const mine = turn.then(run);
    turn = mine.catch(() => undefined);
    return mine;
  }

  async function openSocket(wanted: Wanted): Promise<void> {
    const record: { wanted: Wanted } = { wanted };
    const accept = doorman(parts, caps, sparing, () => record.wanted);
    try {
      const listening = await network.listen(
        wanted.endpoint,
        {
          backlog: wanted.backlog,
          fileMode: wanted.fileMode,
          failed: (why) =>
            sparing.tell(
              `${wanted.key} ${why.code}`,
              'ERROR',
              'listener',
              `${wanted.key}: a connection could not be accepted: ${why.message}`,
            ),
        },
        accept,
      );
      live.set(wanted.key, Object.assign(record, { listening }));
    } catch (error) {
      throw listenError(wanted, error);
    }
  }

  async function closeSockets(sockets: readonly Live[]): Promise<void> {
    for (const socket of sockets) {
      if (live.get(socket.wanted.key) === socket) live.delete(socket.wanted.key);
      await socket.listening[Symbol.asyncDispose]();
    }
  }

  function listenError(wanted: Wanted, error: unknown): ListenError {
    const reason = error instanceof Error ? error.message : String(error);
    const overlapped =
      error instanceof NetworkError && error.code === 'EADDRINUSE' && isWildcard(wanted)
        ? [...live.values()].find((other) => conflict(other.wanted, wanted))
        : undefined;
    if (overlapped !== undefined && wanted.endpoint.kind === 'tcp') {
      const all = wanted.endpoint.ip === '::' ? '[*]' : '*';
      return new ListenError(
        wanted.key,
        `cannot bind ${wanted.key}: ${all}:${wanted.endpoint.port} overlaps ${overlapped.wanted.key}`,
        error,
      );
    }
    return new ListenError(wanted.key, `cannot bind ${wanted.key}: ${reason}`, error);
  }

  /** Opens one; what nobody asked for may fail. */
  async function start(wanted: Wanted, opened: Live[]): Promise<void> {
    try {
      await openSocket(wanted);
      const socket = live.get(wanted.key);
      if (socket !== undefined) opened.push(socket);
    } catch (error) {
      if (!wanted.optional) throw error;
      events.diagnose(
        'NOTICE',
        'listener',
        `no console socket: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** The new set is open when this resolves; what is not wanted any more still is, unless it stood in the way. */
  async function prepare(next: Generation): Promise<void> {
    pending = undefined;
    const wanted = served(wantedSockets(next, parts.control ?? DEFAULT_CONTROL));
    const stop = [...live.values()].filter(({ wanted: open }) => !keeps(wanted.get(open.key), open));
    const begin = inOrder([...wanted.values()].filter((socket) => !keeps(socket, live.get(socket.key)?.wanted)));
    const blocked = begin.filter((socket) => stop.some((other) => conflict(other.wanted, socket)));
    const opened: Live[] = [];
    const moved: Live[] = [];
    try {
      for (const socket of begin) if (!blocked.includes(socket)) await start(socket, opened);
      for (const socket of blocked) {
        const inTheWay = stop.filter((other) => conflict(other.wanted, socket) && !moved.includes(other));
        moved.push(...inTheWay);
        await closeSockets(inTheWay);
        await start(socket, opened);
      }
    } catch (error) {
      await closeSockets(opened);
      for (const socket of moved) await reopen(socket.wanted);
      throw error;
    }
    pending = { wanted, leaving: stop.filter((socket) => !moved.includes(socket)) };
  }

  /** The commit has happened. */
  async function finish(): Promise<void> {
    const work = pending;
    pending = undefined;
    if (work === undefined) return;
    for (const socket of work.wanted.values()) {
      const open = live.get(socket.key);
      if (open !== undefined) open.wanted = socket;
    }
    await closeSockets(work.leaving);
  }

  async function check(next: Generation): Promise<void> {
    if (closed) return;
    try {
      await prepare(next);
    } catch (error) {
      throw error instanceof ListenError ? new ConfigError(error.message, { cause: error }) : error;
    }
  }

  const keeps = (wanted: Wanted | undefined, open: Wanted | undefined): boolean =>
    wanted !== undefined && open !== undefined && sameSocket(open, wanted);

  async function reopen(wanted: Wanted): Promise<void> {
    try {
      await openSocket(wanted);
    } catch (error) {
      events.diagnose(
        'CRITICAL',
        'listener',
        `${wanted.key} was closed for a commit that failed, and cannot be opened again: ${String(error)}`,
      );
    }
  }

  function served(wanted: ReadonlyMap<string, Wanted>): ReadonlyMap<string, Wanted> {
    const kept = [...wanted].filter(([key, socket]) => {
      if (parts.handlers[socket.listener] !== undefined) return true;
      if (!socket.optional)
        events.diagnose(
          'NOTICE',
          'listener',
          `${key} is not opened: no ${titleOf(socket.listener)} is implemented yet`,
        );
      return false;
    });
    return new Map(kept);
  }

  return {
    async open() {
      await inTurn(async () => {
        await prepare(configuration.current);
        await finish();
      });
      subscriptions.push(
        configuration.beforeCommit((next) => inTurn(() => check(next))),
        configuration.onCommit(() => void inTurn(finish)),
      );
    },
    async close() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      subscriptions.length = 0;
      await inTurn(async () => {
        closed = true;
        pending = undefined;
        await closeSockets([...live.values()]);
        sparing[Symbol.dispose]();
      });
    },
    get doors() {
      return [...live.values()].map(({ wanted: { listener, endpoint, key } }) => ({ listener, endpoint, key }));
    },
    get names() {
      return [...live.values()].map(({ wanted }) => `${titleOf(wanted.listener)} ${wanted.key}`);
    },
  };
}

const TITLES: Readonly<Record<ListenerType, string>> = {
  esmtp_listener: 'ESMTP_Listener',
  control_listener: 'Control_Listener',
  ecstream_listener: 'ECStream_Listener',
  http_listener: 'HTTP_Listener',
};

const titleOf = (type: ListenerType): string => TITLES[type];
