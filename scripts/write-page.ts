import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a page that is made from the code, unless it stands there already. */
export function writePage(path: string, text: string): void {
  if (textOf(path) !== text) writeFileSync(path, text);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not there yet.
    return '';
  }
}
