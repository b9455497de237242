/** The nouns of mail: ids, envelopes, bodies and header fields. Knows not where bytes come from or go. */

export * from './body-hold.ts';
export * from './date.ts';
export * from './headers.ts';
export * from './ids.ts';
export * from './message.ts';
export * from './received.ts';
export * from './transfer-encoding.ts';
