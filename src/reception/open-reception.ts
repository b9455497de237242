import { type Millis, millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { ServerState } from '../smtp/index.ts';
import type { PeerAddress, Pipe } from '../world/index.ts';
import { Client } from './client.ts';
import { clientAddress, receivingView } from './client-view.ts';
import { Desk, type ReceptionParts } from './desk.ts';
import { Identity, standing } from './identity.ts';
import { inject } from './inject.ts';
import type { Origin, Reception } from './reception.ts';
import { Session } from './session.ts';
import type { Settings } from './settings.ts';
import { StreamSession } from './stream/session.ts';

/** One open session, for consoles. */
export interface SessionView {
  /** The same as long as it lives. */
  readonly number: number;
  readonly service: 'SMTP' | 'ECStream';
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
  /** A generation has become current: ECStream clients that it concerns are sent away, the others go on with it. */
  reconsider(next: Generation): void;
}

export function reception(parts: ReceptionParts): OpenReception {
  const desk = new Desk(parts);
  const sessions = new Map<Session | StreamSession, number>();
  let numbers = 0;
  let closing: (() => void) | undefined;
  let closed: Promise<void> | undefined;

  const settle = (): void => {
    if (sessions.size === 0 && desk.commits === 0) closing?.();
  };
  desk.settled = settle;

  function converse(pipe: Pipe, origin: Origin): Session {
    const session = new Session(desk, pipe, new Identity(desk, pipe, origin), origin.generation, (gone) => {
      sessions.delete(gone);
      origin.ended();
      settle();
    });
    numbers += 1;
    sessions.set(session, numbers);
    if (origin.tls !== undefined) session.encrypted(origin.tls);
    // The banner may not be followed by a close before the pipe knows its host.
    parts.clock.defer(() => {
      if (closing === undefined) session.pump();
      else session.leave();
    });
    return session;
  }

  function stream(pipe: Pipe, origin: Origin): StreamSession {
    const ip = clientAddress(pipe.remote);
    const { view, name } = receivingView(origin.generation, 'ecstream_listener', origin.endpoint, ip);
    const viewIn = (generation: Generation): Settings =>
      desk.settings(generation.receiving('ecstream_listener', origin.endpoint, ip, name));
    const stands = standing(origin.generation, view, name);
    const client = new Client(pipe, parts.ids.next(parts.clock.date()), stands, 'ecstream');
    if (origin.tls !== undefined) client.secured(origin.tls, view, desk.settings(view).verifiedPeerCanRelay);
    const session = new StreamSession(desk, pipe, client, origin.generation, viewIn, (gone) => {
      sessions.delete(gone);
      origin.ended();
      settle();
    });
    numbers += 1;
    sessions.set(session, numbers);
    parts.clock.defer(() => {
      if (closing === undefined) session.proceed();
      else session.leave();
    });
    return session;
  }

  return {
    converse,
    stream,
    inject: (envelope, traits, draft, replaces) => inject(desk, envelope, traits, draft, replaces),
    close(patienceMillis) {
      closed ??= new Promise<void>((resolve) => {
        const { clock } = parts;
        const late = clock.at(millis(clock.now() + patienceMillis), () => {
          for (const session of [...sessions.keys()]) session.cut();
        });
        closing = () => {
          late[Symbol.dispose]();
          desk.sparing[Symbol.dispose]();
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
    reconsider(next) {
      for (const session of sessions.keys()) if (session instanceof StreamSession) session.reconsider(next);
    },
    *inbound() {
      for (const [session, number] of sessions) {
        const { client, state, since, floating } = session;
        const service = session instanceof StreamSession ? 'ECStream' : 'SMTP';
        yield { number, service, remote: client.peer, local: client.local, state, since, floating };
      }
    },
  };
}
