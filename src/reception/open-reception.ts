import { type Millis, millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { ServerState } from '../smtp/index.ts';
import type { PeerAddress, Pipe } from '../world/index.ts';
import { Client } from './client.ts';
import { clientAddress, receivingView } from './client-view.ts';
import { Desk, type ReceptionParts } from './desk.ts';
import { inject } from './inject.ts';
import type { Origin, Reception } from './reception.ts';
import { Session } from './session.ts';
import type { Settings } from './settings.ts';

/** One open session, for consoles. */
export interface SessionView {
  /** The same as long as it lives. */
  readonly number: number;
  readonly remote: PeerAddress;
  readonly local: PeerAddress;
  readonly state: ServerState;
  /** When that state began, on the clock's scale. */
  readonly since: Millis;
  /** It waits for something of ours: policy, the spool. */
  readonly floating: boolean;
}

/** A reception that can show its sessions. */
export interface OpenReception extends Reception {
  inbound(): Iterable<SessionView>;
  /** Of the open sessions, how many would be closed at their next MAIL FROM or RSET if that generation were live. */
  movedBy(next: Generation): number;
}

export function reception(parts: ReceptionParts): OpenReception {
  const desk = new Desk(parts);
  const sessions = new Map<Session, number>();
  let numbers = 0;
  let closing: (() => void) | undefined;
  let closed: Promise<void> | undefined;

  const settle = (): void => {
    if (sessions.size === 0 && desk.commits === 0) closing?.();
  };
  desk.settled = settle;

  function converse(pipe: Pipe, origin: Origin): Session {
    const ip = clientAddress(pipe.remote);
    const { view, name } = receivingView(origin.generation, 'esmtp_listener', origin.endpoint, ip);
    const viewIn = (generation: Generation): Settings =>
      desk.settings(generation.receiving('esmtp_listener', origin.endpoint, ip, name));
    const client = new Client(pipe, parts.ids.next(parts.clock.date()), name ?? 'default', view);
    const session = new Session(desk, pipe, client, origin.generation, viewIn, (gone) => {
      sessions.delete(gone);
      origin.ended();
      settle();
    });
    numbers += 1;
    sessions.set(session, numbers);
    // The banner may not be followed by a close before the pipe knows its host.
    parts.clock.defer(() => {
      if (closing === undefined) session.pump();
      else session.leave();
    });
    return session;
  }

  return {
    converse,
    inject: (envelope, traits, draft, replaces) => inject(desk, envelope, traits, draft, replaces),
    close(patienceMillis) {
      closed ??= new Promise<void>((resolve) => {
        const { clock } = parts;
        const late = clock.at(millis(clock.now() + patienceMillis), () => {
          for (const session of [...sessions.keys()]) session.cut();
        });
        closing = () => {
          late[Symbol.dispose]();
          resolve();
        };
        for (const session of sessions.keys()) session.leave();
        settle();
      });
      return closed;
    },
    get sessions() {
      return sessions.size;
    },
    movedBy(next) {
      let count = 0;
      for (const session of sessions.keys()) if (session.movedBy(next)) count += 1;
      return count;
    },
    *inbound() {
      for (const [session, number] of sessions) {
        const { client, state, since, floating } = session;
        yield { number, remote: client.peer, local: client.local, state, since, floating };
      }
    },
  };
}
