import type { Static, TSchema } from 'typebox';
import type { Answer } from './answer.ts';
import type { Grant, Principal } from './grants.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who may ask. `Always_Deny` shuts everybody out of each of them. */
export type Access =
  /** Whoever can reach the listener: probes. */
  | { readonly kind: 'public' }
  /** As Momentum's statistics: whoever the listener lets in, by Enable_Authentication or an API key with the grant. */
  | { readonly kind: 'listener'; readonly grant: Grant }
  /** An API key with the grant, and nothing else. */
  | { readonly kind: 'key'; readonly grant: Grant };

/** A request that has come through: it is allowed, and its parts are as the schemas say. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal;
  /** IP address of the client; 127.0.0.1 for a Unix socket. */
  readonly ip: string;
  /** A header field of the request by its name in lower case; several of one name are joined by commas. */
  header(name: string): string | undefined;
}

export interface RouteSpec<P extends TSchema, Q extends TSchema, B extends TSchema, A extends TSchema> {
  readonly method: Method;
  /** `/api/v1/templates/:id`; a trailing slash does not matter. */
  readonly path: string;
  /** One line, for the OpenAPI document. */
  readonly summary: string;
  readonly tag: string;
  readonly access: Access;
  readonly params?: P;
  /** Texts are made numbers and truth values first; fields that it does not name are ignored. */
  readonly query?: Q;
  /** Of the JSON body; without one a body is refused unless it is empty. */
  readonly body?: B;
  /** It may be left out, and is an empty object then. */
  readonly optionalBody?: boolean;
  /** Most bytes of the body, after it was inflated; `Max_Request_Size` may make it less. */
  readonly mostBytes?: number;
  /** What a good answer looks like. Text for anything that is no JSON. */
  readonly answer: { readonly status: number; readonly schema?: A; readonly type?: string; readonly summary: string };
  /** Statuses that it refuses with, beyond those that every route may: for the OpenAPI document. */
  readonly refuses?: readonly number[];
  /** It makes mail or stores something: refused with 503 while memory or spool have no room. */
  readonly needsRoom?: boolean;
  run(call: Call<Static<P>, Static<Q>, Static<B>>): Answer<Static<A>> | Promise<Answer<Static<A>>>;
}

/** A route among others, its types forgotten: the schemas are checked before `run` is called. */
export interface Route extends Omit<RouteSpec<TSchema, TSchema, TSchema, TSchema>, 'run'> {
  run(call: Call): Answer | Promise<Answer>;
}

/** Declares a route. What `run` is handed is typed by its schemas. */
export function route<
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
  A extends TSchema = TSchema,
>(spec: RouteSpec<P, Q, B, A>): Route {
  // The server hands `run` only what these very schemas have let through.
  return { ...spec, run: (call) => spec.run(call as Call<Static<P>, Static<Q>, Static<B>>) };
}

/**
 * The methods that a path has, for `Allow`.
 *
 * @param path of a request, without its query
 */
export function methodsOf(routes: readonly Route[], path: string): readonly string[] {
  const wanted = segmentsOf(path);
  const methods = new Set<string>();
  for (const each of routes) {
    const own = segmentsOf(each.path);
    if (own.length !== wanted.length) continue;
    if (!own.every((segment, at) => segment === wanted[at] || (segment.startsWith(':') && wanted[at] !== ''))) continue;
    methods.add(each.method);
    if (each.method === 'GET') methods.add('HEAD');
  }
  return [...methods].sort();
}

function segmentsOf(path: string): readonly string[] {
  const segments = path.split('/');
  if (segments.length > 2 && segments.at(-1) === '') segments.pop();
  return segments;
}
