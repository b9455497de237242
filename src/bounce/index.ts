/** What a failure means (its class), and what its sender is told (a DSN in its place in the spool). */
export * from './bounce-classes.ts';
export * from './bouncer.ts';
export * from './classify.ts';
export * from './dsn.ts';
export * from './options.ts';
