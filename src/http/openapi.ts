import type { TSchema } from 'typebox';
import { CODES } from './codes.ts';
import type { Access, Route } from './route.ts';

/** A JSON object: the document is data, for programs that know what stands where. */
export type Json = { readonly [key: string]: unknown };

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
}

/** The OpenAPI 3.1 document of routes: paths, parameters, bodies, answers, and who may ask. */
export function openApiDocument(routes: readonly Route[], { title, version }: ApiInfo): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = templated(route.path);
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title, version, license: { name: 'Apache 2.0', identifier: 'Apache-2.0' } },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'an API key, as it is' },
        bearer: { type: 'http', scheme: 'bearer' },
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'a login of the listener, or a key with an empty password',
        },
        digest: { type: 'http', scheme: 'digest' },
        certificate: { type: 'mutualTLS', description: 'where TLS_Verified_Peer_Is_Authorized holds' },
      },
      schemas: { Errors: ERRORS },
    },
  };
}

const templated = (path: string): string => path.replace(/:([A-Za-z0-9_]+)/g, '{$1}');

function operation(route: Route): Json {
  const { method, path, summary, tag, access, params, query, body, optionalBody, answer, refuses = [] } = route;
  const refused = new Set([...refuses, ...usualRefusals(route)]);
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[/:._-]+(.)?/g, (_all, next: string | undefined) => (next ?? '').toUpperCase())}`,
    summary,
    tags: [tag],
    ...(access.kind === 'public' ? {} : { description: `Grant of an API key: \`${access.grant}\`.` }),
    security: security(access),
    parameters: [...parameters(params, 'path'), ...parameters(query, 'query')],
    ...(body === undefined
      ? {}
      : { requestBody: { required: optionalBody !== true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [String(answer.status)]: {
        description: answer.summary,
        ...(answer.schema === undefined
          ? {}
          : { content: { [answer.type ?? 'application/json']: { schema: answer.schema } } }),
      },
      ...Object.fromEntries(
        [...refused].sort().map((status) => [
          String(status),
          {
            description: REASONS[status] ?? 'refused',
            ...(status === 429 || (status === 503 && access.kind !== 'public')
              ? { headers: { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } } }
              : {}),
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
          },
        ]),
      ),
    },
  };
}

function usualRefusals({ method, access, params, query, needsRoom }: Route): readonly number[] {
  return [
    403,
    ...(access.kind === 'public' ? [] : [401, 429, 503]),
    ...(params !== undefined || query !== undefined ? [400] : []),
    // A body that nobody asked for is looked at all the same.
    ...(method === 'GET' ? [] : [400, 413, 415, 422, 503]),
    ...(needsRoom === true ? [503] : []),
  ];
}

/** Each of them is enough. */
function security(access: Access): readonly Json[] {
  const keys = [{ key: [] }, { bearer: [] }];
  switch (access.kind) {
    case 'public':
      return [{}];
    case 'key':
      return [...keys, { basic: [] }];
    case 'listener':
      return [{}, ...keys, { basic: [] }, { digest: [] }, { certificate: [] }];
  }
}

function parameters(schema: TSchema | undefined, place: 'path' | 'query'): readonly Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'a parameter or the body is not as it must be',
  401: 'nobody that is known here',
  403: 'the address is shut out, or the key lacks the grant',
  404: 'there is no such resource',
  409: 'it contradicts what is there',
  413: 'the request is too large',
  415: 'the body is not JSON, or encoded in an unknown way',
  422: 'the body does not fit its schema',
  429: 'too many wrong logins or keys came from this address',
  503: 'no room at the moment, or logins cannot be checked',
};

const ERRORS: Json = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['message', 'code', 'description'],
        properties: {
          message: { type: 'string' },
          code: { type: 'string', enum: Object.keys(CODES) },
          description: { type: 'string' },
          part: { type: 'string', description: 'of a template' },
          line: { type: 'integer', description: 'of that part, from 1' },
        },
      },
    },
  },
};
