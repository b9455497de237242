import type { Place } from '../option.ts';

/** @returns where NUL characters stand; one for a line says enough about a file that is no text */
export function nuls(text: string, file: string): readonly Place[] {
  const found: Place[] = [];
  let line = 1;
  let lineStart = 0;
  let from = 0;
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) {
    for (let end = text.indexOf('\n', from); end !== -1 && end < at; end = text.indexOf('\n', end + 1)) {
      line++;
      lineStart = end + 1;
    }
    from = Math.max(from, lineStart);
    if (at === lineStart || text.lastIndexOf('\0', at - 1) < lineStart) {
      found.push({ file, line, column: at - lineStart + 1 });
    }
  }
  return found;
}
