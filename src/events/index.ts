/** What happened to mail, as values: those who know record it, loggers and statistics hear it. */
export * from './events.ts';
export * from './recent.ts';
export * from './reception.ts';
export * from './record.ts';
export * from './sparing.ts';
export * from './statistics.ts';
