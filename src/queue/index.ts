/** What is due, and in which order: pairs of binding and routing domain, retries, the ledger. */

export * from './explain.ts';
export * from './options.ts';
export * from './outcome.ts';
export * from './pair.ts';
export * from './queues.ts';
export * from './registry.ts';
export * from './retry.ts';
export { type RetryState, readRetryState } from './retry-state.ts';
export * from './undertaker.ts';
