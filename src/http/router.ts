import { type FastifyError, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { millis } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock } from '../world/index.ts';
import { type Answer, type Refusal, RefusedRequest, refusal } from './answer.ts';
import { type Authentication, deniedAltogether } from './authenticate.ts';
import type { BodyRoom } from './body-room.ts';
import type { Guest } from './guest.ts';
import { headerTrouble } from './header-trouble.ts';
import type { HttpDate } from './http-date.ts';
import { type IncomingMessage, type ServerResponse, unusedServer } from './node-http.ts';
import { disableChunked } from './options.ts';
import type { Pressure } from './pressure.ts';
import { send } from './reply.ts';
import { logRequest } from './request-log.ts';
import { methodsOf, type Route } from './route.ts';
import { servant } from './serve.ts';

export interface RouterParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly date: HttpDate;
  readonly routes: readonly Route[];
  readonly authentication: Authentication;
  readonly pressure: Pressure;
  readonly bodies: BodyRoom;
  guestOf(request: IncomingMessage): Guest | undefined;
}

/** @param instead an answer that is clear before anybody has looked for a route */
export type Serve = (request: IncomingMessage, response: ServerResponse, instead?: Refusal) => void;

/** Longest part of a path that stands for something: an address with every character escaped. */
const MOST_PARAM = 2048;

/** Finds the route of each request and sends what it answers. Fastify does both; nobody listens here. */
export async function router(parts: RouterParts): Promise<Serve> {
  const { clock, events, date, routes, guestOf } = parts;
  const instead = new WeakMap<IncomingMessage, Refusal>();
  let serve: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

  const app = fastify({
    serverFactory: (handler) => {
      serve = handler;
      return unusedServer();
    },
    logger: false,
    pluginTimeout: 0,
    clientErrorHandler: () => undefined,
    frameworkErrors: (error, request, reply) => void finish(request, reply, () => asRefusal(error)),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MOST_PARAM },
  });
  // Bodies are read by the route's servant, once it is known who sends them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  async function finish(
    request: FastifyRequest,
    reply: FastifyReply,
    make: (guest: Guest) => Answer | Promise<Answer>,
  ): Promise<FastifyReply> {
    const { raw } = request;
    const guest = guestOf(raw);
    if (guest === undefined) return reply.hijack();
    const since = clock.now();
    const answer = instead.get(raw) ?? headerTrouble(raw) ?? (await made(guest, make));
    // The client has gone while we worked.
    if (reply.raw.destroyed) return reply.hijack();
    const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0;
    const terms = {
      clock,
      date: date.text(),
      chunked: raw.httpVersion !== '1.0' && !guest.view().get(disableChunked),
      // What was not read of a body must not be taken for the next request.
      close: (hasBody && !raw.complete) || answer.status === 413 || guest.connection.ending,
    };
    let bytes = 0;
    let { status } = answer;
    try {
      bytes = await send(request, reply, answer, terms);
    } catch (error) {
      const sorry = asRefusal(error);
      // In the middle of an answer only the end of the connection says that it is not whole.
      if (reply.sent) reply.raw.destroy();
      else {
        bytes = await send(request, reply, sorry, terms);
        ({ status } = sorry);
      }
    }
    const taken = millis(clock.now() - since);
    logRequest(events, { guest, request: raw, at: clock.date(), status, bytes, millis: taken });
    return reply;
  }

  async function made(guest: Guest, make: (guest: Guest) => Answer | Promise<Answer>): Promise<Answer> {
    try {
      return await make(guest);
    } catch (error) {
      return asRefusal(error);
    }
  }

  /** A bug of ours costs this request, and is told of. */
  function asRefusal(error: unknown): Refusal {
    if (error instanceof RefusedRequest) return error.refusal;
    const status = (error as Partial<FastifyError> | undefined)?.statusCode;
    if (status !== undefined && status >= 400 && status < 500)
      return refusal(status === 415 ? '1700' : '1200', 'the request cannot be read', { status });
    events.diagnose(
      'CRITICAL',
      'http',
      `a request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return refusal('1000', 'something went wrong on our side; the log of the server says more');
  }

  for (const route of routes) {
    const serveRoute = servant(route, parts);
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) =>
        finish(request, reply, (guest) =>
          serveRoute({
            guest,
            request: request.raw,
            response: reply.raw,
            method: request.method,
            params: request.params,
            query: request.query,
          }),
        ),
    });
  }
  app.setErrorHandler((error, request, reply) => finish(request, reply, () => asRefusal(error)));
  app.setNotFoundHandler((request, reply) =>
    finish(request, reply, (guest) => deniedAltogether(guest.view()) ?? notFound(routes, request)),
  );
  await app.ready();

  return (request, response, refused) => {
    if (refused !== undefined) instead.set(request, refused);
    serve?.(request, response);
  };
}

function notFound(routes: readonly Route[], request: FastifyRequest): Refusal {
  const path = request.url.split('?', 1)[0] ?? '';
  const methods = methodsOf(routes, path);
  if (methods.length === 0) return refusal('1101', 'there is nothing at this path');
  const allow = methods.join(', ');
  return refusal('1102', `${request.method.slice(0, 20)} is not possible here, only ${allow}`, { headers: { allow } });
}
