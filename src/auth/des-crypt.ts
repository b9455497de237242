/**
 * The oldest method of crypt(3): DES (FIPS 46-3) with a salt, 25 times over 64 zero bits. OpenSSL has no way to put the
 * salt in. A bit is a number in an array, since this runs once for a login; tables count bits from 1, as the standard.
 */
export function desCrypt(password: string, salt: string): string {
  const bytes = Buffer.from(password);
  const key: number[] = [];
  // Seven bits of each of the first eight bytes; the eighth would be parity.
  for (let at = 0; at < 8; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0 && at >= bytes.length) {
      key.push(0, 0, 0, 0, 0, 0, 0, 0);
      continue;
    }
    for (let bit = 6; bit >= 0; bit--) key.push((byte >> bit) & 1);
    key.push(0);
  }
  const keys = schedule(key);
  const expansion = salted(salt);
  let block: number[] = Array.from({ length: 64 }, () => 0);
  for (let time = 0; time < 25; time++) block = encrypted(block, keys, expansion);
  let text = salt;
  const bits = [...block, 0, 0];
  for (let at = 0; at < 66; at += 6) {
    let value = 0;
    for (let bit = 0; bit < 6; bit++) value = value * 2 + (bits[at + bit] ?? 0);
    text += ALPHABET[value] ?? '';
  }
  return text;
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Each bit of the salt swaps two bits of the expansion. */
function salted(salt: string): readonly number[] {
  const expansion = [...E];
  for (const [at, letter] of [...salt].entries()) {
    const value = ALPHABET.indexOf(letter);
    for (let bit = 0; bit < 6; bit++) {
      if (((value >> bit) & 1) === 0) continue;
      const one = 6 * at + bit;
      const other = one + 24;
      const kept = expansion[one] ?? 0;
      expansion[one] = expansion[other] ?? 0;
      expansion[other] = kept;
    }
  }
  return expansion;
}

const picked = (bits: readonly number[], table: readonly number[]): number[] => table.map((at) => bits[at - 1] ?? 0);

function schedule(key: readonly number[]): readonly (readonly number[])[] {
  let halves = picked(key, PC1);
  return SHIFTS.map((by) => {
    const left = halves.slice(0, 28);
    const right = halves.slice(28);
    halves = [...left.slice(by), ...left.slice(0, by), ...right.slice(by), ...right.slice(0, by)];
    return picked(halves, PC2);
  });
}

function encrypted(
  block: readonly number[],
  keys: readonly (readonly number[])[],
  expansion: readonly number[],
): number[] {
  const first = picked(block, IP);
  let left = first.slice(0, 32);
  let right = first.slice(32);
  for (const key of keys) {
    const mixed = picked(right, expansion).map((bit, at) => bit ^ (key[at] ?? 0));
    const chosen: number[] = [];
    for (let box = 0; box < 8; box++) {
      const six = mixed.slice(6 * box, 6 * box + 6);
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = six;
      const value = Number.parseInt(S[box]?.[(a * 2 + f) * 16 + b * 8 + c * 4 + d * 2 + e] ?? '0', 16);
      for (let bit = 3; bit >= 0; bit--) chosen.push((value >> bit) & 1);
    }
    const next = picked(chosen, P).map((bit, at) => bit ^ (left[at] ?? 0));
    left = right;
    right = next;
  }
  return picked([...right, ...left], FP);
}

const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
const numbers = (text: string): readonly number[] => text.split(' ').map(Number);

const IP = numbers(
  '58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8 ' +
    '57 49 41 33 25 17 9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7',
);
const FP = numbers(
  '40 8 48 16 56 24 64 32 39 7 47 15 55 23 63 31 38 6 46 14 54 22 62 30 37 5 45 13 53 21 61 29 ' +
    '36 4 44 12 52 20 60 28 35 3 43 11 51 19 59 27 34 2 42 10 50 18 58 26 33 1 41 9 49 17 57 25',
);
const E = numbers(
  '32 1 2 3 4 5 4 5 6 7 8 9 8 9 10 11 12 13 12 13 14 15 16 17 16 17 18 19 20 21 20 21 22 23 24 25 24 25 26 27 28 29 28 29 30 31 32 1',
);
const P = numbers('16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25');
const PC1 = numbers(
  '57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36 ' +
    '63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4',
);
const PC2 = numbers(
  '14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2 ' +
    '41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32',
);
/** The substitution boxes, four rows of sixteen hexadecimal digits each. */
const S = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
];
