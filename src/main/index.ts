/** Builds the house and hands the keys round. */

export { apiDocument } from '../api/index.ts';
export { apiStoreNotes, sandboxNotes } from '../generation/index.ts';
export { ListenError } from '../listener/index.ts';
export { SpoolError } from '../spool/index.ts';
export { buildServer } from './build.ts';
export {
  checkDatasources,
  datasourceNotes,
  type HouseDatasources,
  houseDatasources,
  unreachableStores,
} from './datasources.ts';
export { declaredOptions, moduleNames } from './declared.ts';
export * from './server.ts';
export { checkTlsFiles } from './tls.ts';
export * from './version.ts';
