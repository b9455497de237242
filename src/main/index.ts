/** Builds the house and hands the keys round. */
export { buildServer } from './build.ts';
export * from './server.ts';
export * from './version.ts';
export { declaredOptions, moduleNames } from './declared.ts';
