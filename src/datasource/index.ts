/** Databases and directories that are asked by name: uris, queries with parameters, connections and caches. */

export { datasourceErrors, datasourceWarnings, unreachable } from './check.ts';
export { type DatasourceCommand, datasourceCommands } from './commands.ts';
export {
  Datasource,
  DatasourceError,
  type DatasourceParts,
  type DatasourceSettings,
  type QueryWays,
} from './datasource.ts';
export { Datasources, settingsOf } from './datasources.ts';
export type { Parameters } from './ldap-url.ts';
export { datasourceOptions, datasourceStanzas, uri as datasourceUri } from './options.ts';
export { namesOf } from './question.ts';
