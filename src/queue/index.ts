/** What is due, and in which order: pairs of binding and routing domain, retries, the ledger. */
export * from './queues.ts';
export * from './outcome.ts';
export * from './undertaker.ts';
export * from './options.ts';
export * from './retry.ts';
export * from './registry.ts';
export * from './pair.ts';
export * from './explain.ts';
