import { clientAddress } from '../reception/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import { admission } from './admission.ts';
import { FloodLog } from './flood-log.ts';
import { frameKinds, textFrame } from './frames.ts';
import type { House } from './house.ts';
import type { ConsoleOrigin } from './origin.ts';
import { accountsOf, ConsoleSession, type SessionParts, whereOf } from './session.ts';

/** Consoles at once. Each costs little, and nobody has so many. */
export const MOST_CONSOLES = 500;
/** Clients that have not logged in yet: of all addresses, and of one. */
export const MOST_WAITING = 100;
export const MOST_WAITING_EACH = 10;

export interface ConsoleServer {
  converse(pipe: Pipe, origin: ConsoleOrigin): PipeHost;
  /** No further command is begun; resolves when every console is closed. Those that do not read are cut off. */
  close(): Promise<void>;
  readonly sessions: number;
  /** Since the start. */
  readonly counts: ConsoleCounts;
}

export interface ConsoleCounts {
  /** Clients that were greeted. */
  readonly served: number;
  /** Clients that were turned away, or closed to make room for others. */
  readonly refused: number;
  /** Clients that spoke another protocol, or none. */
  readonly broken: number;
}

/** Serves consoles on the Control_Listener. */
export function consoleServer(house: House): ConsoleServer {
  const sessions = new Set<ConsoleSession>();
  const floods = new FloodLog(house.clock, house.events);
  const counts = { served: 0, refused: 0, broken: 0 };
  let closing: PromiseWithResolvers<void> | undefined;
  const done = (): void => {
    floods[Symbol.dispose]();
    closing?.resolve();
  };
  const parts: SessionParts = {
    house,
    floods,
    broke: () => {
      counts.broken++;
    },
    ended: (session) => {
      sessions.delete(session);
      if (closing !== undefined && sessions.size === 0) done();
    },
  };

  function refused(pipe: Pipe, origin: ConsoleOrigin, why: string, denied = false): PipeHost {
    counts.refused++;
    floods.tell('refused', 'WARNING', `${whereOf(pipe, origin)}: refused: ${why}`);
    return turnAway(pipe, origin, why, denied);
  }

  /** @returns why there is no room for one more */
  function crowd(ip: string): string | undefined {
    // Strangers who do not close behind us must not keep operators out.
    const open = [...sessions].filter((session) => !session.over);
    if (open.length >= MOST_CONSOLES) return 'too many consoles are open';
    const waiting = open.filter((session) => session.waitsForLogin);
    // Clients of a Unix socket have no address.
    if (ip !== '' && waiting.filter((session) => session.ip === ip).length >= MOST_WAITING_EACH)
      return 'too many clients of this address wait for a login';
    // Whoever knows a password is quick: the one that has waited longest goes.
    if (waiting.length >= MOST_WAITING) {
      counts.refused++;
      waiting[0]?.makeRoom();
    }
    return undefined;
  }

  return {
    counts,
    get sessions() {
      return sessions.size;
    },
    converse(pipe, origin) {
      if (closing !== undefined) return turnAway(pipe, origin, 'the server is shutting down');
      const { endpoint, generation } = origin;
      const view = generation.receiving('control_listener', endpoint, clientAddress(pipe.remote));
      const way = admission(view, endpoint);
      if (way.kind === 'refused') {
        if (way.denied) accountsOf(house, pipe, origin).login('', 0, true);
        return refused(pipe, origin, way.why, way.denied);
      }
      const full = crowd(pipe.remote.ip);
      if (full !== undefined) return refused(pipe, origin, full);
      counts.served++;
      const session = new ConsoleSession(parts, pipe, origin, view, way);
      sessions.add(session);
      session.begin();
      return session;
    },
    close() {
      if (closing === undefined) {
        closing = Promise.withResolvers();
        for (const session of [...sessions]) session.finish('the server is shutting down');
        if (sessions.size === 0) done();
      }
      return closing.promise;
    },
  };
}

/**
 * A client that is not served is told why.
 *
 * @param denied  it counts as a login that has failed
 */
function turnAway(pipe: Pipe, origin: ConsoleOrigin, why: string, denied = false): PipeHost {
  if (denied) pipe.write(textFrame(frameKinds.denied, why));
  pipe.write(textFrame(frameKinds.bye, why));
  pipe.end();
  return { data: () => {}, drained: () => {}, closed: () => origin.ended() };
}
