import { Type } from 'typebox';
import { type Access, type Method, type Route, refusal, results, route } from '../http/index.ts';

interface Resource {
  readonly name: string;
  readonly access: Access;
  /** Behind `/:id`. */
  readonly more?: readonly (readonly [Method, string])[];
}

const key = (grant: 'webhooks/view' | 'sending_domains/manage' | 'metrics/view' | 'message_events/view'): Access => ({
  kind: 'key',
  grant,
});

/** Resources that clients of the family have calls for, and this server does not have yet (spec/http-api 3.1). */
const RESOURCES: readonly Resource[] = [
  {
    name: 'webhooks',
    access: key('webhooks/view'),
    more: [
      ['POST', '/validate'],
      ['GET', '/batch-status'],
      // `/webhooks/events/documentation` and `/samples`.
      ['GET', '/documentation'],
      ['GET', '/samples'],
    ],
  },
  { name: 'sending-domains', access: key('sending_domains/manage'), more: [['POST', '/verify']] },
  { name: 'relay-webhooks', access: key('webhooks/view') },
  { name: 'inbound-domains', access: key('sending_domains/manage') },
  { name: 'subaccounts', access: key('metrics/view') },
];

/** Searches in what happened: an empty answer would say that nothing did. */
const SEARCHES = ['events/message', 'events/ingest', 'message-events'];

const NOTHING: unknown[] = [];

/** Each is there and empty: a client that looks at all of them goes on, and one that wants something is told. */
export const unbuiltRoutes = (): readonly Route[] => [
  ...RESOURCES.flatMap(routesOf),
  ...SEARCHES.map((name) => absent('GET', name, 'events', key('message_events/view'))),
];

function routesOf({ name, access, more = [] }: Resource): readonly Route[] {
  const path = `/api/v1/${name}`;
  const none = (method: Method, behind: string): Route => absent(method, `${name}${behind}`, name, access);
  return [
    route({
      method: 'GET',
      path,
      summary: `none: there are no ${name} on this server yet`,
      tag: name,
      access,
      answer: {
        status: 200,
        summary: 'an empty list',
        schema: Type.Object({ results: Type.Array(Type.Unknown()) }),
      },
      run: () => results(NOTHING),
    }),
    none('POST', ''),
    ...(['GET', 'PUT', 'DELETE'] as const).map((method) => none(method, '/:id')),
    ...more.map(([method, behind]) => none(method, `/:id${behind}`)),
  ];
}

/** @param things what there is not */
const absent = (method: Method, path: string, things: string, access: Access): Route =>
  route({
    method,
    path: `/api/v1/${path}`,
    summary: `not available: there are no ${things} on this server yet`,
    tag: things,
    access,
    ...(path.includes(':id') ? { params: Type.Object({ id: Type.String() }) } : {}),
    ...(method === 'GET' ? {} : { body: Type.Unknown(), optionalBody: true }),
    refuses: [404],
    answer: { status: 200, summary: 'never' },
    run: () => refusal('1600', `there are no ${things} on this server`),
  });
