import { integerBetween, optional, text } from '../values/value-types.ts';
import { option } from './declare.ts';

/** Answers kept for each generation; 0 is refused. */
export const matchCacheSize = option('match_cache_size', integerBetween(1, 10_000_000));

/** The pathway of a session at its start; policy may choose another. */
export const pathway = option('pathway', optional(text));

export const configOptions = [matchCacheSize, pathway];
