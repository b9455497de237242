import type { GuessBrake } from '../auth/index.ts';
import { endpointText, inMillis, millis } from '../base/index.ts';
import type { Configuration } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import { clientAddress, type Origin, receivingView } from '../reception/index.ts';
import type { Chance, Clock, Pipe, PipeHost, TlsFacts } from '../world/index.ts';
import { refusal } from './answer.ts';
import type { ApiKeys } from './api-keys.ts';
import { Authentication } from './authenticate.ts';
import { BodyRoom } from './body-room.ts';
import { ClientConnection } from './connection.ts';
import type { Credentials } from './credentials.ts';
import type { Guest } from './guest.ts';
import { HttpDate } from './http-date.ts';
import { admit, parserServer } from './node-http.ts';
import { idleTime } from './options.ts';
import type { Pressure } from './pressure.ts';
import type { Route } from './route.ts';
import { router } from './router.ts';
import type { HttpSession } from './session.ts';

export interface HttpParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Events;
  readonly configuration: Pick<Configuration, 'current'>;
  readonly routes: readonly Route[];
  readonly keys: Pick<ApiKeys, 'find'>;
  readonly credentials: Credentials;
  /** Counts wrong passwords, for this door or for several. */
  readonly brake: GuessBrake;
  readonly pressure: Pressure;
  /** Of all bodies together; left out, what is good for a server. */
  readonly mostBodyBytes?: number;
  /** The realm of logins whose parameters name none. */
  readonly hostName: () => string;
}

export interface HttpServer {
  converse(pipe: Pipe, origin: Pick<Origin, 'endpoint' | 'ended' | 'tls'>): PipeHost;
  readonly connections: number;
  sessions(): Iterable<HttpSession>;
  /** No further request is read; those under way have so many milliseconds for their answers. */
  close(patienceMillis: number): Promise<void>;
}

/**
 * Serves HTTP/1.1 on pipes.
 *
 * @throws Error for routes that contradict each other: a mistake of ours
 */
export async function httpServer(parts: HttpParts): Promise<HttpServer> {
  const { clock, events, configuration } = parts;
  const guests = new Map<unknown, Guest>();
  const date = new HttpDate(clock);
  let closing: PromiseWithResolvers<void> | undefined;
  let number = 0;

  const serve = await router({
    clock,
    events,
    date,
    routes: parts.routes,
    authentication: new Authentication(parts),
    pressure: parts.pressure,
    bodies: new BodyRoom(parts.mostBodyBytes),
    guestOf: (request) => guests.get(request.socket),
  });
  const parser = parserServer({
    request(request, response) {
      guests.get(request.socket)?.connection.began(request, response, () => serve(request, response));
    },
    expectation(request, response) {
      guests
        .get(request.socket)
        ?.connection.began(request, response, () => serve(request, response, UNKNOWN_EXPECTATION));
    },
    trouble: (stream, code) => guests.get(stream)?.connection.refuse(parserTrouble(code)),
    tunnel: (stream) => guests.get(stream)?.connection.refuse(refusal('1102', 'this server is no proxy')),
  });

  return {
    get connections() {
      return guests.size;
    },
    *sessions() {
      for (const { number: own, connection, pipe } of guests.values()) {
        const { state, since } = connection;
        yield { number: own, remote: pipe.remote, state, since, floating: state === 'serving request' };
      }
    },
    converse(pipe, { endpoint, ended, tls }) {
      const ip = clientAddress(pipe.remote);
      const view = (): ReturnType<Guest['view']> =>
        receivingView(configuration.current, 'http_listener', endpoint, ip).view;
      const connection = new ClientConnection({
        clock,
        pipe,
        date: () => date.text(),
        idleMillis: () => inMillis(view().get(idleTime)),
        closed: () => {
          guests.delete(connection.stream);
          ended();
          if (guests.size === 0) closing?.resolve();
        },
      });
      guests.set(connection.stream, {
        number: ++number,
        connection,
        pipe,
        ip,
        certificate: verifiedCertificate(tls),
        listener: endpointText(endpoint),
        view,
      });
      admit(parser, connection.stream);
      // A pipe must have its host before it may be closed.
      if (closing !== undefined) clock.defer(() => connection.finish());
      return connection;
    },
    async close(patienceMillis) {
      if (closing === undefined) {
        closing = Promise.withResolvers();
        for (const { connection } of [...guests.values()]) connection.finish();
        if (guests.size === 0) closing.resolve();
      }
      using _timer = clock.at(millis(clock.now() + patienceMillis), () => {
        for (const { connection } of [...guests.values()]) connection.cut();
      });
      await closing.promise;
    },
  };
}

const UNKNOWN_EXPECTATION = refusal('1200', 'only 100-continue may be expected', { status: 417 });

function verifiedCertificate(tls: TlsFacts | undefined): Guest['certificate'] {
  const peer = tls?.peer;
  return peer?.distrust === undefined ? peer : undefined;
}

/** What the parser complains of, in words that do not repeat what was sent. */
function parserTrouble(code: string): ReturnType<typeof refusal> {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusal('1200', 'the request line and header fields are too long', { status: 431 });
    case 'HPE_INVALID_TRANSFER_ENCODING':
    case 'HPE_UNEXPECTED_CONTENT_LENGTH':
      return refusal('1200', 'it cannot be told where the body ends');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal('1200', 'the extensions of the chunks are too long', { status: 413 });
    default:
      return refusal('1200', 'this is no HTTP/1.1 request');
  }
}
