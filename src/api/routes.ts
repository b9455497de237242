import { Type } from 'typebox';
import { type Json, json, openApiDocument, type Route, route } from '../http/index.ts';
import { healthRoutes } from './health.ts';
import type { ApiHouse } from './house.ts';
import { metricsRoutes } from './metrics.ts';
import { recipientListRoutes } from './recipient-lists.ts';
import { statsRoutes } from './stats.ts';
import { suppressionRoutes } from './suppressions.ts';
import { templateRoutes } from './templates.ts';
import { transmissionRoutes } from './transmissions.ts';
import { unbuiltRoutes } from './unbuilt.ts';

/** Every route of the server: whoever builds another resource adds its routes here. */
export function apiRoutes(house: ApiHouse): readonly Route[] {
  const { product } = house;
  const routes = [
    ...healthRoutes(house),
    ...metricsRoutes(house),
    ...statsRoutes(house),
    ...transmissionRoutes(house),
    ...templateRoutes(house),
    ...suppressionRoutes(house),
    ...recipientListRoutes(house),
    ...unbuiltRoutes(),
  ];
  return withDocument(routes, product);
}

/** The routes, and one more that tells of all of them. */
function withDocument(routes: readonly Route[], product: ApiHouse['product']): readonly Route[] {
  let document: Json | undefined;
  const all: readonly Route[] = [
    ...routes,
    route({
      method: 'GET',
      path: '/openapi.json',
      summary: 'this document',
      tag: 'probes',
      access: { kind: 'public' },
      answer: { status: 200, summary: 'an OpenAPI 3.1 document', schema: Type.Object({ openapi: Type.String() }) },
      run: () => json((document ??= documentOf(all, product)) as Json & { readonly openapi: string }),
    }),
  ];
  return all;
}

/** What `GET /openapi.json` answers, without a server. */
export function apiDocument(product: ApiHouse['product']): Json {
  // A route asks its house when it runs, and these never do.
  return documentOf(apiRoutes({ product } as ApiHouse), product);
}

const documentOf = (routes: readonly Route[], product: ApiHouse['product']): Json =>
  openApiDocument(routes, { title: `${product.name} HTTP API`, version: product.version });
