import type { Clock } from '../world/index.ts';
import { type Answer, RefusedRequest } from './answer.ts';
import type { Authentication } from './authenticate.ts';
import { readJson } from './body.ts';
import type { BodyRoom } from './body-room.ts';
import type { Guest } from './guest.ts';
import type { IncomingMessage, ServerResponse } from './node-http.ts';
import { MOST_BYTES, maxRequestSize } from './options.ts';
import { outOfRoom, type Pressure } from './pressure.ts';
import type { Route } from './route.ts';
import { bodyValidator, textValidator, type Validator } from './validate.ts';

/** A body that nobody asked for: enough for the `{}` that some clients always send. */
const MOST_UNWANTED = 1024;

/** A request that has found its route. */
export interface Found {
  readonly guest: Guest;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly params: unknown;
  readonly query: unknown;
}

export interface ServeParts {
  readonly clock: Clock;
  readonly bodies: BodyRoom;
  readonly authentication: Authentication;
  readonly pressure: Pressure;
}

/** What a route does with a request, in the order in which it may cost us something. */
export function servant(
  route: Route,
  { clock, bodies, authentication, pressure }: ServeParts,
): (found: Found) => Promise<Answer> {
  const params = route.params === undefined ? undefined : textValidator(route.params);
  const query = route.query === undefined ? undefined : textValidator(route.query);
  const body = route.body === undefined ? undefined : bodyValidator(route.body);

  return async ({ guest, request, response, method, ...texts }) => {
    const view = guest.view();
    const admission = await authentication.admit({
      access: route.access,
      view,
      ip: guest.ip,
      certificate: guest.certificate,
      method,
      target: request.url ?? '',
      authorization: request.headers.authorization,
    });
    if (admission.kind === 'refusal') return admission;
    const full = route.needsRoom === true ? outOfRoom(pressure) : undefined;
    if (full !== undefined) return full;
    const most = Math.min(
      view.get(maxRequestSize) || MOST_BYTES,
      body === undefined ? MOST_UNWANTED : (route.mostBytes ?? MOST_BYTES),
    );
    using share = bodies.share();
    const json =
      method === 'GET' || method === 'HEAD' ? undefined : await readJson(request, response, { most, share, clock });
    const given = json === undefined && route.optionalBody === true ? {} : json;
    return await route.run({
      params: checked(params, texts.params),
      query: checked(query, texts.query),
      body: checked(body, given),
      principal: admission.principal,
      ip: guest.ip,
      header: (name) => headerOf(request, name),
    });
  };
}

/** @throws RefusedRequest */
function checked(validator: Validator | undefined, value: unknown): unknown {
  if (validator === undefined) return {};
  const result = validator.check(value);
  if (!result.ok) throw new RefusedRequest(result.why);
  return result.value;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'object' ? value.join(', ') : value;
}
