import type { Trouble } from '../generation/index.ts';
import { type Answer, json } from '../http/index.ts';
import { refused } from './trouble.ts';

/** What was taken of many recipients, as clients of the family read it (spec/http-api 4.1). */
export interface Counts {
  readonly id: string;
  readonly name?: string;
  readonly total_accepted_recipients: number;
  readonly total_rejected_recipients: number;
}

/**
 * Some may be wrong: it is a success all the same, and says so.
 *
 * @param errors those of single recipients that are told
 * @param note   the code of a partial success, and its words
 */
export function partly(
  counts: Counts,
  errors: readonly Trouble[],
  note: { readonly message: string; readonly code: string },
): Answer {
  if (counts.total_rejected_recipients === 0) return json({ results: counts });
  const entries = errors.flatMap((each) => refused(each).errors);
  return json({ results: { ...counts, ...(entries.length > 0 ? { rcpt_to_errors: entries } : {}) }, errors: [note] });
}
