/** The resources of the HTTP interface: probes, statistics, metrics, and the document that describes them. */

export type { ApiHouse } from './house.ts';
export { apiOptions } from './metrics.ts';
export { apiDocument, apiRoutes } from './routes.ts';
export { type Traffic, traffic } from './traffic.ts';
