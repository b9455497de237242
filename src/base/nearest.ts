/**
 * For "did you mean …?". A swap of neighbours counts as one mistake, case as none.
 *
 * @returns the candidate with the fewest mistakes, at most about a third of the word's letters; the first of equals
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length > LONGEST) return undefined;
  let most = Math.max(1, Math.ceil(wanted.length / 3));
  let best: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) > most) continue;
    const mistakes = distance(wanted, candidate.toLowerCase(), most);
    if (mistakes > most || mistakes >= Math.max(wanted.length, candidate.length)) continue;
    best = candidate;
    if (mistakes === 0) return best;
    most = mistakes - 1;
  }
  return best;
}

/** Nobody misspells a word this long; text that is no word must not cost the square of its length. */
const LONGEST = 200;

/** Optimal string alignment. @returns the distance, or some number above `most` as soon as it must be */
function distance(one: string, other: string, most: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const line = [row];
    let least = row;
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      let value = Math.min(
        (last[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        value = Math.min(value, (beforeLast[column - 2] ?? 0) + 1);
      }
      line.push(value);
      if (value < least) least = value;
    }
    if (least > most) return least;
    beforeLast = last;
    last = line;
  }
  return last[other.length] ?? 0;
}
