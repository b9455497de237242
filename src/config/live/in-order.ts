import type { Slices } from '../../world/index.ts';
import type { SourceFile } from '../files/source-file.ts';
import type { Place } from '../option.ts';

/** What was found in files, by file as they were read, then by place; a file included twice complains once. */
export async function inOrder<T extends { readonly place: Place | undefined }>(
  found: readonly T[],
  files: readonly SourceFile[],
  lineOf: (each: T) => string,
  slices: Slices,
): Promise<readonly T[]> {
  const rank = new Map(files.map(({ path }, index) => [path, index]));
  const fileOf = (each: T): number => rank.get(each.place?.file ?? '') ?? -1;
  const once = new Map<string, T>();
  await slices.each(found, (each) => void once.set(lineOf(each), each));
  return sorted(
    [...once.values()],
    (one, other) =>
      fileOf(one) - fileOf(other) ||
      (one.place?.line ?? 0) - (other.place?.line ?? 0) ||
      (one.place?.column ?? 0) - (other.place?.column ?? 0),
    slices,
  );
}

/** Items that are sorted in one go. */
const ROW = 256;

/** A stable merge sort that gives way: `sort` takes a tenth of a second for what a hundred thousand stanzas may complain of. */
export async function sorted<T>(
  all: readonly T[],
  compare: (one: T, other: T) => number,
  slices: Slices,
): Promise<readonly T[]> {
  let rows: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += ROW) {
    rows.push(all.slice(at, at + ROW).sort(compare));
    if (slices.over) await slices.pause();
  }
  while (rows.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < rows.length; at += 2) {
      const [left = [], right = []] = [rows[at], rows[at + 1]];
      const row: T[] = [];
      for (let one = 0, other = 0; one < left.length || other < right.length; ) {
        const mine = left[one];
        const theirs = right[other];
        if (theirs === undefined || (mine !== undefined && compare(mine, theirs) <= 0)) {
          row.push(mine as T);
          one++;
        } else {
          row.push(theirs);
          other++;
        }
        if (slices.over) await slices.pause();
      }
      merged.push(row);
    }
    rows = merged;
  }
  return rows[0] ?? [];
}
