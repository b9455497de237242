/** What a shell starts: one file for each program, and the list of them. */
export * from './send.ts';
export * from './sink.ts';
export * from './programs.ts';
