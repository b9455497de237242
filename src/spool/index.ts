/** Accepted means on disk: a log of segments with shared syncs. */
export * from './spool.ts';
export { openSpool, type OpenSpoolParts } from './open-spool.ts';
export { spoolbase, spoolOptions, spoolSettings } from './options.ts';
