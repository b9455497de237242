import { boolean, integerBetween, optional, path, text } from '../values/value-types.ts';
import { option } from './declare.ts';

/** Answers kept for each generation; 0 is refused. */
export const matchCacheSize = option('match_cache_size', integerBetween(1, 10_000_000));

/** The pathway of a session at its start; policy may choose another. */
export const pathway = option('pathway', optional(text), { ofEveryListener: true });

/** The file that is loaded last, wherever it is named: online changes that belong nowhere else are stored there. */
export const localChangesFile = option('local_changes_file', optional(path));

/** Every online change is stored there. */
export const localChangesOnly = option('local_changes_only', boolean);

export const configOptions = [matchCacheSize, pathway, localChangesFile, localChangesOnly];
