/** Accepted means on disk: a log of segments with shared syncs. */

export { checkSpool, type Dated, type SpoolFailure, type SpoolReport } from './check.ts';
export type { Damage, KeptReception } from './loop-reader.ts';
export { type OpenSpoolParts, openSpool } from './open-spool.ts';
export { spoolbase, spoolOptions, spoolSettings } from './options.ts';
export { SpoolReader } from './reader.ts';
export * from './spool.ts';
