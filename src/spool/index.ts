/** Accepted means on disk: a log of segments with shared syncs. */

export { type OpenSpoolParts, openSpool } from './open-spool.ts';
export { spoolbase, spoolOptions, spoolSettings } from './options.ts';
export * from './spool.ts';
