/** The programs under bin/: what an operator types, over the world and the process they are handed. */
export * from './send.ts';
export * from './sink.ts';
