import { Trouble } from '../generation/index.ts';
import { type Refusal, refusal } from '../http/index.ts';
import { SpoolError } from '../spool/index.ts';
import { KeyValueError } from '../world/index.ts';

/** What went wrong behind a route, as its answer. @throws what is a bug of ours */
export function refused(error: unknown): Refusal {
  if (error instanceof Trouble) {
    const { code, message, part, line } = error;
    const where = { ...(part === undefined ? {} : { part }), ...(line === undefined ? {} : { line }) };
    return refusal(code, message, code === '1502' ? { ...where, headers: { 'retry-after': '10' } } : where);
  }
  if (error instanceof SpoolError)
    return error.code === 'IMP_SPOOL_FULL'
      ? refusal('1502', 'the spool is full', { headers: { 'retry-after': '10' } })
      : refusal('1500', 'the spool could not keep it; nothing was accepted');
  if (error instanceof KeyValueError) return refusal('1501', 'the store of templates and suppressions cannot be used');
  throw error;
}

/** Runs what a route does, and answers what went wrong. */
export async function answered<T>(work: () => T | Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    return refused(error);
  }
}
