export * from './queues.ts';
export * from './outcome.ts';
