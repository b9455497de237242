/** What a shell starts: one file for each program, and the list of them. */

export * from './programs.ts';
export * from './send.ts';
export * from './sink.ts';
