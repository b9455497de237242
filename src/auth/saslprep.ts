/**
 * Prepares a name or a password for comparison (SASLprep, RFC 4013): other blanks become a space, what is invisible
 * goes, and the rest is normalized (NFKC). What the profile prohibits, and text that mixes directions, is refused.
 *
 * Code points that Unicode has not assigned are let through, as RFC 3454 wants for queries.
 *
 * @returns undefined for a text that is prohibited
 */
export function saslprep(text: string): string | undefined {
  const mapped = text.replaceAll(BLANKS, ' ').replaceAll(NOTHING, '').normalize('NFKC');
  if (PROHIBITED.test(mapped)) return undefined;
  if (RIGHT_TO_LEFT.test(mapped)) {
    // RFC 3454 §6: no left-to-right letter beside them, and they stand first and last.
    if (LEFT_TO_RIGHT.test(mapped)) return undefined;
    const letters = [...mapped];
    if (!RIGHT_TO_LEFT.test(letters[0] ?? '') || !RIGHT_TO_LEFT.test(letters.at(-1) ?? '')) return undefined;
  }
  return mapped;
}

/** Table C.1.2. */
const BLANKS = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
/** Table B.1. */
const NOTHING = /\u00ad|\u034f|\u1806|\u200c|\u200d|\u2060|\ufeff|[\u180b-\u180d]|[\ufe00-\ufe0f]/gu;
/** Tables C.2.1 to C.9: controls, private use, no characters, surrogates, and what changes how others look. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]|\u0340|\u0341/u;
/** Scripts that are written from right to left (classes R and AL). */
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}]/u;
const LEFT_TO_RIGHT =
  /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{Script=Devanagari}\p{Script=Thai}\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
