/** The embedded sink: an SMTP server that behaves as mailbox providers do, by recipient. */
export * from './action.ts';
export * from './counters.ts';
export type { Taken } from './recent.ts';
export * from './rules.ts';
export * from './sink.ts';
