import type { Place } from '../option.ts';
import { LIMITS } from './items.ts';

/** @returns where NUL characters stand; one for a line, and no more than errors are told, say enough about a file that is no text */
export function nuls(text: string, file: string): readonly Place[] {
  const found: Place[] = [];
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\0'); at !== -1 && found.length <= LIMITS.errors; ) {
    let end = text.indexOf('\n', lineStart);
    for (; end !== -1 && end < at; end = text.indexOf('\n', lineStart)) {
      line++;
      lineStart = end + 1;
    }
    found.push({ file, line, column: at - lineStart + 1 });
    if (end === -1) break;
    at = text.indexOf('\0', end);
  }
  return found;
}
