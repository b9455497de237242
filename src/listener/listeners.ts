import { ConfigError, type Generation, type ListenerType } from '../config/index.ts';
import type { ListenerParts } from './parts.ts';
import { type ListenPlan, type PlanCircumstances, planListeners } from './plan.ts';
import { SessionCaps } from './session-caps.ts';
import { ListenError, Sockets } from './sockets.ts';
import { DEFAULT_CONTROL, type ListenSocket, socketTitle, TITLES, wantedSockets } from './wanted.ts';

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
  /** What a commit of a generation would do to the sockets that are open now. Nothing is touched. */
  plan(next: Generation): ListenPlan;
  /** Sockets that are open. */
  readonly doors: readonly ListenSocket[];
  /** For people: `ESMTP_Listener 127.0.0.1:2525`. */
  readonly names: readonly string[];
}

/** Which sockets are open, and how one set becomes another without losing what is in both (configuration 9.6). */
export function listeners(parts: ListenerParts): Listeners {
  const { configuration, events } = parts;
  const caps = new SessionCaps();
  const sockets = new Sockets(parts, caps, (socket, why) => missing.set(socket.key, why));
  const subscriptions: Disposable[] = [];
  const skips = (listener: ListenerType): boolean => parts.skipped?.includes(listener) === true;
  const circumstances: PlanCircumstances = {
    control: parts.control ?? DEFAULT_CONTROL,
    serves: (listener) => parts.handlers[listener] !== undefined && !skips(listener),
  };
  /**
   * Wanted sockets that the server goes on without, each with the reason that was told. They are tried again at each
   * commit, and do not keep it from succeeding: who has nothing to do with them must still be able to change something.
   */
  const missing = new Map<string, string>();
  /** Sockets that nobody serves, once told. */
  const unserved = new Set<string>();
  /** What a commit that has been checked still has to do, and how to take back what was done. */
  let pending:
    | {
        readonly plan: ListenPlan;
        readonly rollback: () => Promise<void>;
        readonly failed: ReadonlyMap<string, string>;
      }
    | undefined;
  let turn: Promise<void> = Promise.resolve();
  let closed = false;

  /** Checks, commits and the close wait for each other. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    const mine = turn.then(run);
    turn = mine.catch(() => undefined);
    return mine;
  }

  async function prepare(next: Generation, tolerant: boolean): Promise<void> {
    await takeBack();
    tellUnserved(next);
    const plan = planListeners(sockets.live, next, circumstances);
    const failed = new Map<string, string>();
    const mayFail = (socket: ListenSocket, why: ListenError): boolean => {
      if (!tolerant && !socket.optional && !missing.has(socket.key)) return false;
      failed.set(socket.key, why.message);
      if (missing.get(socket.key) !== why.message)
        events.diagnose(
          socket.optional ? 'NOTICE' : 'ERROR',
          'listener',
          socket.optional ? `no console socket: ${why.message}` : `${why.message}; the server goes on without it`,
        );
      return true;
    };
    pending = { plan, rollback: await sockets.begin(plan, mayFail), failed };
  }

  /** The commit has happened. */
  async function finish(): Promise<void> {
    const work = pending;
    pending = undefined;
    if (work === undefined) return;
    missing.clear();
    for (const [key, why] of work.failed) missing.set(key, why);
    await sockets.finish(work.plan);
  }

  /** The commit was vetoed by somebody else. */
  async function takeBack(): Promise<void> {
    const work = pending;
    pending = undefined;
    await work?.rollback();
  }

  async function check(next: Generation): Promise<void> {
    if (closed) return;
    try {
      await prepare(next, false);
    } catch (error) {
      throw error instanceof ListenError ? new ConfigError(error.message, { cause: error }) : error;
    }
  }

  function tellUnserved(next: Generation): void {
    for (const { key, listener } of wantedSockets(next, circumstances.control ?? DEFAULT_CONTROL).values()) {
      const skipped = skips(listener);
      if ((parts.handlers[listener] !== undefined && !skipped) || unserved.has(key)) continue;
      unserved.add(key);
      const why = skipped ? `this run has no ${TITLES[listener]}` : `no ${TITLES[listener]} is implemented yet`;
      events.diagnose('NOTICE', 'listener', `${key} is not opened: ${why}`);
    }
  }

  return {
    async open() {
      await inTurn(async () => {
        await prepare(configuration.current, parts.tolerant === true);
        await finish();
      });
      subscriptions.push(
        configuration.beforeCommit(async (next) => {
          await inTurn(() => check(next));
          return () => void inTurn(takeBack);
        }),
        configuration.onCommit((next) => {
          caps.recount(next);
          void inTurn(finish);
        }),
      );
    },
    async close() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      subscriptions.length = 0;
      await inTurn(async () => {
        closed = true;
        pending = undefined;
        await sockets.closeAll();
      });
    },
    plan: (next) => planListeners(sockets.live, next, circumstances),
    get doors() {
      return sockets.live;
    },
    get names() {
      return sockets.live.map(socketTitle);
    },
  };
}
