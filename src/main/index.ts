/** Builds the house and hands the keys round. */
export { buildServer } from './build.ts';
export * from './server.ts';
export * from './version.ts';
export { ListenError } from '../listener/index.ts';
export { SpoolError } from '../spool/index.ts';
export { declaredOptions, moduleNames } from './declared.ts';
